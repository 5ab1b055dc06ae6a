import type { FindingGroup, ListedFinding } from "@/api/schema.gen";
import type { Box } from "@/canvas/geometry";
import { equals, nameable } from "@/api/where";
import { count, percent, sentence } from "@/kit/format";

type Facts = Record<string, unknown>;

const boxFrom = (value: unknown): Box | null => {
  if (!Array.isArray(value) || value.length !== 4 || !value.every((n) => typeof n === "number")) return null;
  const [x, y, w, h] = value as [number, number, number, number];
  return { x, y, w, h };
};

/** Where the object of a finding is: its annotation's box, or the one that its figures name. */
export const boxOfFinding = ({ box, facts }: Pick<ListedFinding, "box" | "facts">): Box | null => boxFrom(box) ?? boxFrom(facts.box_xywh_px);

const repairOf = (finding: ListedFinding): Facts | null =>
  typeof finding.facts.repair === "object" && finding.facts.repair !== null ? (finding.facts.repair as Facts) : null;

/** The class that a finding suggests. */
export const suggestedClass = (finding: ListedFinding): string | null => {
  const named = repairOf(finding)?.class ?? finding.facts.suggested;
  return typeof named === "string" ? named : null;
};

/** The box that a finding suggests. */
export const suggestedBox = (finding: ListedFinding): Box | null => boxFrom(repairOf(finding)?.box_xywh_px) ?? boxFrom(finding.facts.rings_xywh_px);

/** How sure the check is, as a share. */
export const confidence = (finding: ListedFinding): number | null => {
  const value = finding.facts.probability ?? finding.facts.confidence;
  return typeof value === "number" && value >= 0 && value <= 1 ? value : null;
};

/** The claim in a row of the list: the classes where they are all that differs, else the sentence. */
export function rowClaim(finding: ListedFinding): string {
  const suggested = suggestedClass(finding);
  const sure = confidence(finding);
  if (!finding.class || !suggested || finding.class === suggested) return sentence(finding.reason);
  return `${finding.class} \u2192 ${suggested}${sure === null ? "" : `, ${percent(sure, 1)} sure`}`;
}

const FIXES: Record<string, string> = {
  "remove-sample": "remove this sample", "remove-annotation": "remove this annotation", "box-of-shape": "set the box around the shape",
  "fit-rectangle": "make it a rectangle", "set-keypoints": "swap the points", "set-box": "set the suggested box", "add-box": "add the suggested box",
};

/** What accepting the fix would do, in words; null where the finding suggests nothing. */
export function fixWords(finding: ListedFinding): string | null {
  const repair = repairOf(finding);
  if (!repair) return null;
  if (repair.do === "set-class") return `change the class to ${String(repair.class)}`;
  if (repair.do === "set-split") return `move the sample to ${String(repair.split)}`;
  return FIXES[String(repair.do)] ?? "apply the suggested repair";
}

const NO_VALUE: Record<string, string> = { class: "no annotation", fault: "one kind of fault" };

/** The name of a group. */
export function groupName(value: FindingGroup["value"], by: string): string {
  if (value === null) return NO_VALUE[by] ?? (by.startsWith("field:") ? `no ${by.slice(6)}` : "other");
  return typeof value === "number" ? count(value) : String(value).replaceAll("_", " ");
}

/** The filter that shows one group alone; null where there is none. */
export function filterOf(value: FindingGroup["value"], by: string): Record<string, string> | null {
  if (by.startsWith("field:")) return nameable(by.slice(6)) ? { where: equals(by.slice(6), value) } : null;
  return value === null ? null : { [by]: String(value) };
}
