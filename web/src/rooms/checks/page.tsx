import { Page } from "@/app/page";

export function ChecksPage() {
  return <Page title="Checks">…</Page>;
}
