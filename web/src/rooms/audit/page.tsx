import { Page } from "@/app/page";

export function AuditPage() {
  return <Page title="Audit">…</Page>;
}
