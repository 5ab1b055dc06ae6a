import type { Annotation } from "@/api/schema.gen";
import type { Shape } from "../changes";
import type { AttributeOf, Kind, Row, ShapeFields, Wish, WorkClass } from "./types";
import { uuid7 } from "./uuid";

/** The one shape that an operation carries of a kind. */
export function fieldsOf(kind: Kind, { bbox, rings, keypoints, mask }: Shape): ShapeFields {
  if (kind === "classification" || kind === "caption") return {};
  if (kind === "mask" && mask) return { mask: { size: [mask.size[0], mask.size[1]], counts: mask.counts } };
  if (kind === "box") return { bbox: bbox && [bbox[0], bbox[1], bbox[2], bbox[3]] };
  return kind === "keypoints" ? { keypoints } : { rings };
}

/** Attributes that the editor keeps for itself; people see what they do, not their values. */
export const OWN = { group: "group_id", level: "z_order", locked: "locked" } as const;
const OWN_NAMES: ReadonlySet<string> = new Set(Object.values(OWN));
export const isOwn = (name: string): boolean => OWN_NAMES.has(name);

export const levelOf = (a: Annotation): number => Number((a as Partial<Row>).attributes?.[OWN.level] ?? 0) || 0;
export const isLocked = (a: Row | null): boolean => a?.attributes[OWN.locked] === true;

/** Required attributes that have no value yet. */
export const missingOf = (a: Row, one: WorkClass | undefined): AttributeOf[] =>
  (one?.attributes ?? []).filter(({ name, required }) => required && (a.attributes[name] === undefined || a.attributes[name] === null || a.attributes[name] === ""));

const defaultsOf = (one: WorkClass): Record<string, unknown> =>
  Object.fromEntries(one.attributes.filter((attribute) => attribute.default !== undefined && attribute.default !== null).map((attribute) => [attribute.name, attribute.default]));

export type Adding = Extract<Wish, { do: "add" }>;

/** A new annotation of a class. */
export function adding(one: WorkClass, kind: Kind, shape: Shape, attributes: Record<string, unknown> = {}): Adding {
  const given = { ...defaultsOf(one), ...attributes };
  return { do: "add", annotation: uuid7(), class: one.name, kind, ...fieldsOf(kind, shape), ...(Object.keys(given).length ? { attributes: given } : {}) };
}

export const NO_SHAPE: Shape = { bbox: null, rings: [], keypoints: [], mask: null };

/** Copies of annotations for an image of another size: what is copied stays inside of it. */
export function copies(rows: readonly Row[], from: readonly [number, number], to: readonly [number, number], by = 0): Adding[] {
  const [sx, sy] = [to[0] / from[0], to[1] / from[1]];
  const isScaled = sx !== 1 || sy !== 1;
  const x = (value: number) => Math.min(to[0], Math.max(0, value * sx + by));
  const y = (value: number) => Math.min(to[1], Math.max(0, value * sy + by));
  const groups = new Map<unknown, string>();
  return rows.filter((row) => !(row.mask && (isScaled || by !== 0))).map((row) => {
    const box = row.bbox;
    const shape: Shape = {
      bbox: box && [x(box[0]), y(box[1]), Math.max(1, x(box[0] + box[2]) - x(box[0])), Math.max(1, y(box[1] + box[3]) - y(box[1]))],
      rings: row.rings.map((ring) => ring.map((value, at) => (at % 2 ? y(value) : x(value)))),
      keypoints: row.keypoints.map((value, at) => (at % 3 === 0 ? (row.keypoints[at + 2] ? x(value) : 0) : at % 3 === 1 ? (row.keypoints[at + 1] ? y(value) : 0) : value)),
      mask: row.mask,
    };
    const group = row.attributes[OWN.group];
    if (group !== undefined && !groups.has(group)) groups.set(group, uuid7().slice(-8));
    const { [OWN.group]: _group, [OWN.locked]: _locked, ...kept } = row.attributes;
    const attributes = group === undefined ? kept : { ...kept, [OWN.group]: groups.get(group) };
    return { do: "add", annotation: uuid7(), class: row.class, kind: row.kind, ...fieldsOf(row.kind, shape), ...(Object.keys(attributes).length ? { attributes } : {}) };
  });
}
