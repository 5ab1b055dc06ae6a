import { refSearch, text, type Raw, type RefSearch } from "@/kit/search";

/** What the address of the checks page holds: the check that is explained, and the gate of the cell of the coverage map that is open. */
export type ChecksSearch = RefSearch & { check?: string | undefined; gate?: string | undefined };
export const checksSearch = (raw: Raw): ChecksSearch => ({ ...refSearch(raw), check: text(raw, "check"), gate: text(raw, "gate") });
