import { Page } from "@/app/page";

export function DatasetsPage() {
  return <Page title="Datasets">…</Page>;
}
