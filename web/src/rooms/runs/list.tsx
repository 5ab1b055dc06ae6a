import { Page } from "@/app/page";

export function RunsPage() {
  return <Page title="Runs">…</Page>;
}
