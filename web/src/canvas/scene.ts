import type { Annotation } from "@/api/schema.gen";
import { areaOf, boxOf, isOn, type Box } from "@/canvas/geometry";
import { extentOf } from "@/canvas/rle";
import { isFlat } from "@/canvas/shapes";
import { Tree, type Corners } from "@/canvas/tree";

/** An annotation with what drawing and hitting ask of it again and again, and its place in the order of drawing. */
export type Item = {
  a: Annotation;
  box: Box;
  /** Everything of it that is drawn: its box and its finer shape, which need not be inside. */
  reach: Corners;
  /** Smaller is hit first: lines and points, then by area. */
  rank: number;
  vertices: number;
  order: number;
};

const known = new WeakMap<Annotation, Omit<Item, "order"> | null>();

/** The annotations of one image, in the order of drawing, with an index by place. Annotations are never changed in place. */
export class Scene {
  readonly items: readonly Item[];
  /** All of them, also those that have no place. */
  readonly total: number;
  /** What drawing all of them takes, in points of outlines. */
  readonly weight: number;
  private readonly ids = new Map<string, Item>();
  private readonly tree: Tree;

  /** `levelOf`: what is of a higher level is above all of a lower one, and hit before it; 0 where it is absent. */
  constructor(annotations: readonly Annotation[], private readonly levelOf: (a: Annotation) => number = () => 0) {
    this.total = annotations.length;
    const measured = annotations.map(measure).filter((one) => one !== null);
    measured.sort((p, q) => levelOf(p.a) - levelOf(q.a) || Number(isFlat(p.a)) - Number(isFlat(q.a)) || q.rank - p.rank);
    this.items = measured.map((one, order) => ({ ...one, order }));
    for (const item of this.items) this.ids.set(item.a.id, item);
    this.weight = this.items.reduce((sum, item) => sum + 12 + item.vertices, 0);
    this.tree = new Tree(this.items.map((item) => item.reach));
  }

  get(id: string | null | undefined): Item | null {
    return (id && this.ids.get(id)) || null;
  }

  /** What touches a part of the image, in the order of drawing. */
  within([x0, y0, x1, y1]: Corners): Item[] {
    const at = this.tree.search(x0, y0, x1, y1);
    return Uint32Array.from(at).sort().reduce<Item[]>((items, n) => (items.push(this.items[n] as Item), items), []);
  }

  /** The smallest annotation at a point of the image; lines and points, which cover nothing, before all others. */
  hit(x: number, y: number, slack: number, hidden: ReadonlySet<number>): Annotation | null {
    let best: Item | null = null;
    for (const at of this.tree.search(x - slack, y - slack, x + slack, y + slack)) {
      const item = this.items[at] as Item;
      if (hidden.has(item.a.class_id) || (best && this.isAbove(best, item))) continue;
      if (isOn(item.a, item.box, x, y, slack)) best = item;
    }
    return best?.a ?? null;
  }

  private isAbove(one: Item, other: Item): boolean {
    const levels = this.levelOf(one.a) - this.levelOf(other.a);
    return levels > 0 || (levels === 0 && one.rank <= other.rank);
  }

  /** The parts of the image where this scene differs from another, or null if they are more than `most`. */
  changesFrom(other: Scene, most: number): Corners[] | null {
    const parts: Corners[] = [];
    for (const item of this.items) {
      const before = other.get(item.a.id);
      if (before?.a === item.a) continue;
      parts.push(item.reach);
      if (before) parts.push(before.reach);
      if (parts.length > most) return null;
    }
    for (const item of other.items) if (!this.get(item.a.id)) parts.push(item.reach);
    return parts.length > most ? null : parts;
  }
}

function measure(a: Annotation): Omit<Item, "order"> | null {
  let item = known.get(a);
  if (item === undefined) {
    const box = boxOf(a);
    item = box && { a, box, reach: reachOf(a, box), rank: isFlat(a) ? -1 : areaOf(a), vertices: verticesOf(a) };
    known.set(a, item);
  }
  return item;
}

function reachOf(a: Annotation, box: Box): Corners {
  let [x0, y0, x1, y1] = [box.x, box.y, box.x + box.w, box.y + box.h];
  const add = (x: number, y: number) => {
    x0 = Math.min(x0, x);
    y0 = Math.min(y0, y);
    x1 = Math.max(x1, x);
    y1 = Math.max(y1, y);
  };
  for (const ring of a.rings) for (let i = 0; i + 1 < ring.length; i += 2) add(ring[i] as number, ring[i + 1] as number);
  for (let i = 0; i + 2 < a.keypoints.length; i += 3) if (a.keypoints[i + 2]) add(a.keypoints[i] as number, a.keypoints[i + 1] as number);
  const masked = a.mask ? extentOf(a.mask) : null;
  if (masked) {
    add(masked.x, masked.y);
    add(masked.x + masked.width, masked.y + masked.height);
  }
  return [x0, y0, x1, y1];
}

const verticesOf = (a: Annotation): number => a.rings.reduce((n, ring) => n + ring.length / 2, 4) + a.keypoints.length / 3;
