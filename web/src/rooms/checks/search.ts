import { refSearch, text, type Raw, type RefSearch } from "@/kit/search";

/** What the address of the checks page holds: the check and the severity that the findings are limited to. */
export type ChecksSearch = RefSearch & { check?: string | undefined; severity?: string | undefined };
export const checksSearch = (raw: Raw): ChecksSearch => ({
  ...refSearch(raw), check: text(raw, "check"), severity: text(raw, "severity"),
});
