import type { Finding } from "@/api/schema.gen";
import { oneOf, refSearch, text, type Raw, type RefSearch } from "@/kit/search";

/** What the address of the checks page holds: the check and the severity that the findings are limited to. */
type Severity = Finding["severity"];
const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

export type ChecksSearch = RefSearch & { check?: string | undefined; severity?: Severity | undefined };
export const checksSearch = (raw: Raw): ChecksSearch => ({
  ...refSearch(raw), check: text(raw, "check"), severity: oneOf(raw, "severity", SEVERITIES),
});
