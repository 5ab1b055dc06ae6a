import { oneOf, refSearch, text, whole, type Raw, type RefSearch } from "@/kit/search";

/** What the addresses of the history, the diff and the merges hold. Here: the commit that the keys have selected. */
export type HistorySearch = RefSearch & { commit?: string | undefined };
export const historySearch = (raw: Raw): HistorySearch => ({ ...refSearch(raw), commit: text(raw, "commit") });

export const CHANGES = ["reclassified", "moved", "edited", "added", "removed"] as const;
export type Change = (typeof CHANGES)[number];

/** How two states of a sample are shown. */
export const MODES = ["side", "overlay", "blink"] as const;
export type Mode = (typeof MODES)[number];

/** Which changes are listed: of a kind, from a class, to a class. */
export type ChangeSearch = { change?: Change | undefined; before?: string | undefined; after?: string | undefined };

/** `b` is left out for the working state. */
export type DiffSearch = ChangeSearch & {
  a: string;
  b?: string | undefined;
  /** The id of the selected sample. */
  sample?: string | undefined;
  mode?: Mode | undefined;
};
export const diffSearch = (raw: Raw): DiffSearch => ({
  a: text(raw, "a") ?? "",
  b: text(raw, "b"),
  change: oneOf(raw, "change", CHANGES),
  before: text(raw, "before"),
  after: text(raw, "after"),
  sample: text(raw, "sample"),
  mode: oneOf(raw, "mode", MODES),
});

/** The merge that is shown, and the index of the selected conflict. */
export type MergeSearch = RefSearch & { merge?: string | undefined; at?: number | undefined };
export const mergeSearch = (raw: Raw): MergeSearch => ({ ...refSearch(raw), merge: text(raw, "merge"), at: whole(raw, "at", 0, 1e9) });
