import { Page } from "@/app/page";

export function ReleasePage() {
  return <Page title="Release">…</Page>;
}
