import { Page } from "@/app/page";

export function ReleasesPage() {
  return <Page title="Releases">…</Page>;
}
