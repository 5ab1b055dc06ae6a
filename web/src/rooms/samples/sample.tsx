import { Page } from "@/app/page";

export function SamplePage() {
  return <Page title="Sample">…</Page>;
}
