import { Page } from "@/app/page";

export function DiffPage() {
  return <Page title="Difference">…</Page>;
}
