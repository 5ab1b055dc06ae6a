import { Page } from "@/app/page";

export function OverviewPage() {
  return <Page title="Overview">…</Page>;
}
