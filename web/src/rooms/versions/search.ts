import { refSearch, text, whole, type Raw, type RefSearch } from "@/kit/search";

/** What the addresses of the diff and of the merges hold. The history holds only the ref. */
/** `b` is left out for the working state. */
export type DiffSearch = { a: string; b?: string | undefined };
export const diffSearch = (raw: Raw): DiffSearch => ({ a: text(raw, "a") ?? "", b: text(raw, "b") });

/** The merge that is shown, and the index of the selected conflict. */
export type MergeSearch = RefSearch & { merge?: string | undefined; at?: number | undefined };
export const mergeSearch = (raw: Raw): MergeSearch => ({ ...refSearch(raw), merge: text(raw, "merge"), at: whole(raw, "at", 0, 1e9) });
