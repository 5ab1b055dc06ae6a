import { IconCircleCheck, IconCircleDashed, IconCircleX } from "@tabler/icons-react";
import type { GateCounts, GateResult, ObjectiveResult } from "@/api/schema.gen";
import { Pill } from "@/kit/basics";
import { plural } from "@/kit/format";

/** A gate's state as icon and word, never by colour alone. */
export function GatePill({ state }: { state: GateResult["state"] }) {
  if (state === "green") return <Pill tone="good" icon={<IconCircleCheck size={13} />}>Green</Pill>;
  if (state === "red") return <Pill tone="bad" icon={<IconCircleX size={13} />}>Red</Pill>;
  return <Pill tone="warn" icon={<IconCircleDashed size={13} />}>Missing</Pill>;
}

/** Whether an objective of the contract is met; it blocks nothing. */
export function ObjectivePill({ state }: { state: ObjectiveResult["state"] }) {
  if (state === "met") return <Pill tone="good" icon={<IconCircleCheck size={13} />}>Met</Pill>;
  if (state === "missed") return <Pill tone="bad" icon={<IconCircleX size={13} />}>Missed</Pill>;
  return <Pill icon={<IconCircleDashed size={13} />}>Not measured</Pill>;
}

/** The gates of a dataset in a few words. */
export function GateSummary({ gates }: { gates: Partial<GateCounts> | null }) {
  if (!gates) return <Pill icon={<IconCircleDashed size={13} />}>Not checked</Pill>;
  const { green = 0, red = 0, missing = 0 } = gates;
  if (red + missing === 0) return <Pill tone="good" icon={<IconCircleCheck size={13} />}>{plural(green, "gate")} green</Pill>;
  const words = [red ? `${red} red` : "", missing ? `${missing} missing` : "", `${green} green`].filter(Boolean);
  return <Pill tone={red ? "bad" : "warn"} icon={red ? <IconCircleX size={13} /> : <IconCircleDashed size={13} />}>{words.join(", ")}</Pill>;
}
