import type { FullAnnotation } from "@/api/schema.gen";
import { isWhole, kindText, lengthOf, rectOf } from "@/canvas/shapes";
import { measured, plural } from "@/kit/format";

const px = (value: number): string => measured(Math.round(value));

/** The kind of an annotation and its size, in the measure of its kind. */
export function describe(a: FullAnnotation): string {
  const score = a.score === null ? "" : a.score.toFixed(2);
  return [a.kind === "point" ? pointsOf(a) : kindText(a.kind), sizeOf(a), score, a.iscrowd ? "crowd" : ""].filter(Boolean).join(" ");
}

function sizeOf(a: FullAnnotation): string {
  if (isWhole(a) || a.kind === "point") return "";
  const rect = a.kind === "rotated_box" || a.kind === "ellipse" ? rectOf(a.rings[0]) : null;
  if (rect) return `${px(rect.w)}\u00d7${px(rect.h)} ${Math.round((rect.angle * 180) / Math.PI)}\u00b0`;
  if (a.kind === "polyline") return `${px(lengthOf(a.rings))} px`;
  return a.bbox ? `${px(a.bbox[2])}\u00d7${px(a.bbox[3])}` : "";
}

function pointsOf(a: FullAnnotation): string {
  const n = a.rings.reduce((sum, ring) => sum + ring.length / 2, 0);
  return n === 1 ? "point" : plural(n, "point");
}

/** Attributes that are shown as marks; false and absent ones are not. */
const MARKS: Record<string, (value: unknown) => string> = {
  occluded: (value) => share("occluded", value),
  truncated: (value) => share("truncated", value),
  difficult: (value) => share("difficult", value),
  track_id: (value) => `track ${String(value)}`,
  group_id: (value) => `group ${String(value)}`,
};

/** Marks of an annotation: occluded, truncated, difficult, its track and its group. */
export function marksOf(a: FullAnnotation): string[] {
  return Object.entries(MARKS).filter(([name]) => isMarked(a.attributes, name)).map(([name, text]) => text(a.attributes[name]));
}

/** The attributes that are not shown as marks or as text. */
export function otherAttributes(a: FullAnnotation): [string, unknown][] {
  return Object.entries(a.attributes).filter(([name]) => name !== "text" && !isMarked(a.attributes, name));
}

function isMarked(attributes: Record<string, unknown>, name: string): boolean {
  const value = attributes[name];
  if (!(name in MARKS) || value === null || value === undefined || value === false || value === "") return false;
  return value !== 0 || name.endsWith("_id");
}

const share = (name: string, value: unknown): string =>
  typeof value === "number" && value < 1 ? `${name} ${Math.round(100 * value)} %` : name;
