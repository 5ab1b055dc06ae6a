import type { ChangedSample } from "@/api/schema.gen";
import type { Tone } from "@/kit/basics";
import type { Change } from "../search";

export const TONES: Record<Change | ChangedSample["change"], Tone> = {
  added: "good", removed: "bad", changed: "warn", reclassified: "accent", moved: "warn", edited: "plain", annotations: "plain",
};

/** Old class, new class; one where it is the same. */
export function Classes({ change }: { change: { class_before: string | null; class_after: string | null } }) {
  const { class_before: before, class_after: after } = change;
  if (before === null || after === null || before === after) return <span className="cut">{after ?? before}</span>;
  return <span className="cut"><s>{before}</s> {"\u2192"} <b>{after}</b></span>;
}
