import type { Annotation } from "@/api/schema.gen";
import type { MergeConflict } from "@/api/schema.gen";
import type { Box } from "@/canvas/geometry";
import { shown } from "@/kit/format";

/** A row as its table holds it; null where it is removed. */
type Row = MergeConflict["base"];

export const SIDES = ["base", "ours", "theirs"] as const;
export type Side = (typeof SIDES)[number];

const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
const isNumber = (value: unknown): value is number => typeof value === "number";

/** An annotation's row as the canvas draws it; null for a removed one or a row without a drawing. */
export function annotationOf(row: Row): Annotation | null {
  if (!row || typeof row.ann_id !== "string") return null;
  const { x, y, w, h, mask_h: maskH, mask_w: maskW } = row;
  const counts = typeof row.mask_rle === "string" ? row.mask_rle : "";
  return {
    id: row.ann_id,
    kind: row.kind as Annotation["kind"],
    class: "",
    class_id: number(row.class_id) ?? 0,
    bbox: isNumber(x) && isNumber(y) && isNumber(w) && isNumber(h) ? [x, y, w, h] : null,
    rings: Array.isArray(row.rings) ? (row.rings as number[][]) : [],
    keypoints: Array.isArray(row.keypoints) ? (row.keypoints as number[]) : [],
    mask: counts && isNumber(maskH) && isNumber(maskW) ? { size: [maskH, maskW], counts } : null,
    score: number(row.score),
    iscrowd: row.iscrowd === true,
    author: typeof row.author === "string" ? row.author : "",
    text: null,
  };
}

/** The box around what all sides drew, so that they can be shown in the same place. */
export function boxOfSides(conflict: MergeConflict): Box | null {
  const boxes = SIDES.map((side) => annotationOf(conflict[side])?.bbox ?? null).filter((box) => box !== null);
  if (!boxes.length) return null;
  const left = Math.min(...boxes.map((box) => box[0]));
  const top = Math.min(...boxes.map((box) => box[1]));
  const right = Math.max(...boxes.map((box) => box[0] + box[2]));
  const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** What a side has in a field, in words. */
export function valueOf(row: Row, field: string): string {
  if (!row) return "removed";
  if (field === "geometry") return [row.x, row.y, row.w, row.h].map((n) => (typeof n === "number" ? n.toFixed(1) : "-")).join("  ");
  const [name = "", ...rest] = field.split(".");
  const key = rest.join(".");
  const value = row[name];
  if (!key) return value === null || value === "" || value === undefined ? "none" : shown(value);
  const inside = typeof value === "string" && value ? (JSON.parse(value) as Record<string, unknown>) : {};
  return key in inside ? shown(inside[key]) : "none";
}

const KINDS: Record<MergeConflict["kind"], string> = {
  fields: "Changed on both sides",
  "edit-delete": "Edited on one side, removed on the other",
  "class-name": "Two classes with the same name",
  "field-type": "Field with two types",
  contract: "Different contracts",
  info: "Different file-level keys",
};

export const kindText = (kind: MergeConflict["kind"]): string => KINDS[kind];
