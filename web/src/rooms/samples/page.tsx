import { Page } from "@/app/page";

export function SamplesPage() {
  return <Page title="Samples">…</Page>;
}
