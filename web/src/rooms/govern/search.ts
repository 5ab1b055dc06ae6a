import { oneOf, text, whole, type Raw } from "@/kit/search";

/** Ages to which the audit trail can be limited. */
export const AGES = ["1h", "24h", "7d", "30d", "90d"] as const;

/** What the address of the audit trail holds: which events are shown; `event` is the number of one. */
export type AuditSearch = {
  dataset?: string | undefined;
  who?: string | undefined;
  verb?: string | undefined;
  since?: (typeof AGES)[number] | undefined;
  /** Only events before this day (UTC), as 2027-01-31. */
  until?: string | undefined;
  event?: number | undefined;
};
export const auditSearch = (raw: Raw): AuditSearch => ({
  dataset: text(raw, "dataset"), who: text(raw, "who"), verb: text(raw, "verb"), since: oneOf(raw, "since", AGES), until: day(raw, "until"),
  event: whole(raw, "event", 1, Number.MAX_SAFE_INTEGER),
});

const day = (raw: Raw, key: string): string | undefined => {
  const value = text(raw, key);
  return value && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;
};
