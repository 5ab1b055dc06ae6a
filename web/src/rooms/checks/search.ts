import { refSearch, text, type Raw, type RefSearch } from "@/kit/search";

/** What the address of the checks page holds: the check that is explained. */
export type ChecksSearch = RefSearch & { check?: string | undefined };
export const checksSearch = (raw: Raw): ChecksSearch => ({ ...refSearch(raw), check: text(raw, "check") });
