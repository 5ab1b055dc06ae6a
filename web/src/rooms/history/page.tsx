import { Page } from "@/app/page";

export function HistoryPage() {
  return <Page title="History">…</Page>;
}
