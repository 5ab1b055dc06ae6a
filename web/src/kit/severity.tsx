import { IconAlertTriangle, IconInfoCircle, IconCircleX } from "@tabler/icons-react";
import type { Finding } from "@/api/schema.gen";
import { Pill } from "@/kit/basics";

/** How bad a finding is, as icon and word. */
export function SeverityPill({ severity }: { severity: Finding["severity"] }) {
  if (severity === "error") return <Pill tone="bad" icon={<IconCircleX size={13} />}>error</Pill>;
  if (severity === "warning") return <Pill tone="warn" icon={<IconAlertTriangle size={13} />}>warning</Pill>;
  return <Pill icon={<IconInfoCircle size={13} />}>info</Pill>;
}
