import type { Annotation } from "@/api/schema.gen";
import { boxBetween, type Bounds } from "@/canvas/reshape";
import { rectOf } from "@/canvas/shapes";
import { simplified } from "@/canvas/simplify";
import { cornersOf, withRect } from "@/canvas/turned";

/** What can be drawn from nothing, beside boxes; "cut" is a hole, "ruler" leaves nothing behind. */
export type Drawable = "box" | "rotated_box" | "ellipse" | "polygon" | "polyline" | "point" | "keypoints" | "cut" | "ruler";
export type At = { x: number; y: number };

/** What drawing needs to know. */
export type Paper = {
  what: Drawable;
  classId: number;
  image: Bounds;
  /** Pixels of the screen that a pixel of the image has. */
  scale: number;
  /** Keypoints of the class. */
  joints: number;
  /** The place that is meant near a place: of a neighbour's outline. */
  snap: (at: At) => At;
};

/** Pixels of the screen: how near the start closes an outline, and how far apart points of a free line are. */
const [CLOSING, STEP] = [10, 4];

const BARE: Omit<Annotation, "kind" | "class_id"> = {
  id: "", class: "", bbox: null, rings: [], keypoints: [], mask: null, score: null, iscrowd: false, author: "", text: null,
};

/**
 * A shape while it is drawn: by single presses or by dragging, so that a mouse, a pen and a finger all do. Places are in
 * image pixels. `press`, `drag` and `release` answer with the whole shape once it is complete.
 */
export class Drawing {
  private points: At[] = [];
  private seen: number[] = [];
  private cursor: At | null = null;
  /** Points from here on were drawn freely. */
  private free = 0;

  constructor(private readonly paper: () => Paper) {}

  get isBegun(): boolean {
    return this.points.length > 0;
  }

  /** How many joints of a skeleton are placed. */
  get placed(): number {
    return this.points.length;
  }

  press(at: At): Annotation | null {
    const { what } = this.paper();
    const place = this.within(what === "keypoints" || what === "ruler" ? at : this.paper().snap(at));
    if (what === "ruler" && this.points.length >= 2) this.points = [];
    if (this.isOpen() && this.closes(place)) return this.finish();
    this.points.push(place);
    this.seen.push(2);
    this.free = this.points.length;
    this.cursor = place;
    return this.complete();
  }

  drag(at: At): void {
    const place = this.within(at);
    this.cursor = place;
    const last = this.points.at(-1);
    if (!this.isOpen() || !last) return;
    if (Math.hypot(place.x - last.x, place.y - last.y) * this.paper().scale >= STEP) this.points.push(place);
  }

  /** The end of a press; `moved` where it was a drag. */
  release(at: At, moved: boolean): Annotation | null {
    if (!moved) return null;
    const { what, scale } = this.paper();
    if (this.isOpen()) {
      const line = this.points.slice(Math.max(0, this.free - 1)).flatMap(({ x, y }) => [x, y]);
      const kept = simplified(line, 1.5 / scale);
      this.points = [...this.points.slice(0, Math.max(0, this.free - 1)), ...pairs(kept)];
      const first = this.points[0];
      const isLoop = what !== "polyline" && this.points.length > 3 && first && Math.hypot(at.x - first.x, at.y - first.y) * scale < 2 * CLOSING;
      if (isLoop) this.points.pop();
      return isLoop ? this.finish() : null;
    }
    if (what === "keypoints" || what === "point") return null;
    this.points.push(this.within(what === "ruler" ? at : this.paper().snap(at)));
    return this.complete();
  }

  hover(at: At): void {
    this.cursor = this.within(this.isOpen() ? this.paper().snap(at) : at);
  }

  /** The next joint of a skeleton is hidden (1) or not labelled (0). */
  joint(visibility: 0 | 1): Annotation | null {
    if (this.paper().what !== "keypoints") return null;
    if (visibility === 1) {
      if (this.seen.length) this.seen[this.seen.length - 1] = 1;
      return null;
    }
    this.points.push({ x: 0, y: 0 });
    this.seen.push(0);
    return this.complete();
  }

  /** Take what is drawn as the whole shape; null where it is not one yet. */
  finish(): Annotation | null {
    const { what, joints } = this.paper();
    if (what === "keypoints") {
      while (this.isBegun && this.points.length < joints) {
        this.points.push({ x: 0, y: 0 });
        this.seen.push(0);
      }
      return this.complete();
    }
    const least = what === "polyline" ? 2 : 3;
    const ring = withoutDoubles(this.points);
    if (!this.isOpen() || ring.length < least) return null;
    return this.done({ ...this.bare(what === "polyline" ? "polyline" : "polygon"), rings: [ring.flatMap(({ x, y }) => [rounded(x), rounded(y)])] });
  }

  /** One point back; false where there is none. */
  back(): boolean {
    if (!this.isBegun) return false;
    this.points.pop();
    this.seen.pop();
    return true;
  }

  clear(): boolean {
    const had = this.isBegun;
    this.points = [];
    this.seen = [];
    this.cursor = null;
    return had;
  }

  /** What it looks like so far. */
  draft(): Annotation | null {
    const { what } = this.paper();
    const [first, cursor] = [this.points[0], this.cursor];
    if (!first) return null;
    const line = [...this.points, ...(cursor && !(what === "ruler" && this.points.length > 1) ? [cursor] : [])];
    if (what === "keypoints") return { ...this.bare("keypoints"), keypoints: this.triples() };
    if ((what === "box" || what === "ellipse") && cursor) return this.between(first, cursor);
    if (what === "rotated_box" && this.points[1] && cursor) return this.turned(first, this.points[1], cursor);
    const shape = { ...this.bare("polyline"), rings: [line.flatMap(({ x, y }) => [x, y])] };
    return cursor && this.isOpen() && what !== "polyline" && this.closes(cursor) ? { ...shape, kind: "polygon", rings: [this.points.flatMap(({ x, y }) => [x, y])] } : shape;
  }

  private isOpen(): boolean {
    const { what } = this.paper();
    return what === "polygon" || what === "polyline" || what === "cut";
  }

  /** Whether a press there ends the outline: at its start, or a line at its last point. */
  private closes({ x, y }: At): boolean {
    const { what, scale } = this.paper();
    const end = what === "polyline" ? this.points.at(-1) : this.points[0];
    const least = what === "polyline" ? 2 : 3;
    return this.points.length >= least && end !== undefined && Math.hypot(x - end.x, y - end.y) * scale <= (what === "polyline" ? 3 : CLOSING);
  }

  private complete(): Annotation | null {
    const { what, joints } = this.paper();
    const [a, b, c] = this.points;
    if (what === "point" && a) return this.done({ ...this.bare("point"), rings: [[rounded(a.x), rounded(a.y)]] });
    if (what === "keypoints") return this.points.length >= joints && this.seen.some(Boolean) ? this.done({ ...this.bare("keypoints"), keypoints: this.triples() }) : null;
    if (what === "rotated_box" && a && b && c) return this.done(this.turned(a, b, c));
    if ((what === "box" || what === "ellipse") && a && b) return this.done(this.between(a, b));
    return null;
  }

  private done(shape: Annotation | null): Annotation | null {
    this.clear();
    return shape;
  }

  private between(a: At, b: At): Annotation | null {
    const { what, image } = this.paper();
    const bbox = boxBetween(a.x, a.y, b.x, b.y, image);
    if (!bbox) return null;
    if (what === "box") return { ...this.bare("box"), bbox };
    const [x, y, w, h] = bbox;
    return withRect(this.bare("ellipse"), { x: x + w / 2, y: y + h / 2, w, h, angle: 0 });
  }

  /** A box from its first side and a place that its opposite side goes through. */
  private turned(a: At, b: At, c: At): Annotation | null {
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const w = Math.hypot(dx, dy);
    if (w < 1) return null;
    const depth = (dx * (c.y - a.y) - dy * (c.x - a.x)) / w;
    if (Math.abs(depth) < 1) return { ...this.bare("polyline"), rings: [[a.x, a.y, b.x, b.y]] };
    const [nx, ny] = [(-dy / w) * depth, (dx / w) * depth];
    // The side that was drawn first is the top where the box is below it, else the bottom: corners go clockwise.
    const angle = Math.atan2(depth > 0 ? dy : -dy, depth > 0 ? dx : -dx);
    const rect = { x: (a.x + b.x + nx) / 2, y: (a.y + b.y + ny) / 2, w, h: Math.abs(depth), angle };
    const shape = withRect({ ...this.bare("rotated_box"), rings: [cornersOf(rect)] }, rect);
    return rectOf(shape.rings[0]) ? shape : null;
  }

  private triples(): number[] {
    return this.points.flatMap(({ x, y }, at) => (this.seen[at] ? [rounded(x), rounded(y), this.seen[at] ?? 0] : [0, 0, 0]));
  }

  private bare(kind: Annotation["kind"]): Annotation {
    return { ...BARE, kind, class_id: this.paper().classId };
  }

  private within({ x, y }: At): At {
    const { width, height } = this.paper().image;
    return { x: Math.min(width, Math.max(0, x)), y: Math.min(height, Math.max(0, y)) };
  }
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
const pairs = (line: readonly number[]): At[] => Array.from({ length: line.length >> 1 }, (_, at) => ({ x: line[2 * at] ?? 0, y: line[2 * at + 1] ?? 0 }));
const withoutDoubles = (points: readonly At[]): At[] =>
  points.filter(({ x, y }, at) => at === 0 || Math.hypot(x - (points[at - 1]?.x ?? 0), y - (points[at - 1]?.y ?? 0)) >= 0.1);
