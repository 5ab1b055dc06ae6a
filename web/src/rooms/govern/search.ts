import { text, type Raw } from "@/kit/search";

/** What the address of the audit trail holds: the dataset that it is limited to. */
export type AuditSearch = { dataset?: string | undefined };
export const auditSearch = (raw: Raw): AuditSearch => ({ dataset: text(raw, "dataset") });
