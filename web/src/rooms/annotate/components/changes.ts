import type { FullAnnotation } from "@/api/schema.gen";
import { pixelsOf } from "@/canvas/rle";
import type { Edit, EditOfAnnotation, NewAnnotation } from "../api";

/** A class as the ontology has it, with how often it is used. */
export type ClassOf = { id: number; name: string; annotations: number; keypoints?: readonly string[] };

/** An edit, what it is called, and what the list of annotations looks like with it: the same however often it is applied. */
export type Change = {
  title: string;
  edit: EditOfAnnotation | NewAnnotation;
  annotation: string;
  apply: (list: readonly FullAnnotation[]) => readonly FullAnnotation[];
};

const replacing = (id: string, next: (a: FullAnnotation) => FullAnnotation) => {
  // The same object for the same one before: what is drawn of it is kept by the object.
  const made = new WeakMap<FullAnnotation, FullAnnotation>();
  const once = (a: FullAnnotation) => {
    let after = made.get(a);
    if (!after) made.set(a, (after = next(a)));
    return after;
  };
  return (list: readonly FullAnnotation[]) => list.map((a) => (a.id === id ? once(a) : a));
};

export function setClass(a: FullAnnotation, to: ClassOf): Change {
  return {
    title: `${a.class} to ${to.name}`, annotation: a.id,
    edit: { do: "set-class", annotation: a.id, class: to.name, seen: { class: a.class } },
    apply: replacing(a.id, (one) => ({ ...one, class: to.name, class_id: to.id })),
  };
}

/** Attributes to set; null removes one. */
export function setAttributes(a: FullAnnotation, attributes: Record<string, unknown>): Change {
  const merged = (one: FullAnnotation) => Object.fromEntries(Object.entries({ ...one.attributes, ...attributes }).filter(([, value]) => value !== null));
  return {
    title: `attributes of the ${a.class}`, annotation: a.id,
    edit: { do: "set-attributes", annotation: a.id, attributes: attributes as never, seen: { attributes: a.attributes as never } },
    apply: replacing(a.id, (one) => {
      const next = merged(one);
      return { ...one, attributes: next as never, text: typeof next["text"] === "string" ? next["text"] : null };
    }),
  };
}

export function remove(a: FullAnnotation): Change {
  return {
    title: `delete the ${a.class}`, annotation: a.id,
    edit: { do: "delete", annotation: a.id, seen: { class: a.class } },
    apply: (list) => list.filter((one) => one.id !== a.id),
  };
}

export type Shape = Pick<FullAnnotation, "bbox" | "rings" | "keypoints" | "mask">;

/** The shape that an annotation was given by hand, from what it was. */
export function setShape(a: FullAnnotation, to: Shape): Change {
  const { bbox, rings, keypoints, mask } = to;
  const area = mask ? { area: pixelsOf(mask) } : {};
  const shape = (one: Shape) => {
    if (one.mask) return { mask: { size: [...one.mask.size] as [number, number], counts: one.mask.counts } };
    if (one.rings.length) return { rings: one.rings };
    if (one.keypoints.length) return one.bbox ? { keypoints: one.keypoints, bbox: [...one.bbox] } : { keypoints: one.keypoints };
    return { bbox: one.bbox && [...one.bbox] };
  };
  return {
    title: `shape of the ${a.class}`, annotation: a.id,
    edit: { do: "set-shape", annotation: a.id, ...shape(to), seen: shape(a) as never },
    apply: replacing(a.id, (one) => ({ ...one, bbox, rings, keypoints, mask, ...area })),
  };
}

export function addBox(sample: string, to: ClassOf, bbox: [number, number, number, number], author: string): Change {
  const id = crypto.randomUUID().replaceAll("-", "");
  const added: FullAnnotation = {
    id, kind: "box", class: to.name, class_id: to.id, bbox, rings: [], keypoints: [], mask: null, score: null, iscrowd: false, text: null,
    attributes: {}, author, area: bbox[2] * bbox[3], source_id: "",
  };
  return {
    title: `a new ${to.name}`, annotation: id,
    edit: { do: "add", sample, class: to.name, kind: "box", annotation: id, bbox },
    apply: (list) => (list.some((one) => one.id === id) ? list : [...list, added]),
  };
}

/** A later shape of the same annotation, sent instead of an earlier one that was not sent yet. */
export function merged(before: Change, after: Change): Change | null {
  const [one, two] = [before.edit, after.edit];
  if (one.do !== "set-shape" || two.do !== "set-shape" || before.annotation !== after.annotation) return null;
  return { ...after, edit: { ...two, seen: one.seen ?? null } };
}

export const isOfAnnotation = (edit: Edit): edit is EditOfAnnotation => edit.do !== "add" && "annotation" in edit;
