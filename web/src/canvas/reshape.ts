import type { Annotation } from "@/api/schema.gen";
import { boxOf } from "@/canvas/geometry";
import type { Handle } from "@/canvas/handles";
import { isMoved } from "@/canvas/masks";
import { extentOf, shifted } from "@/canvas/rle";
import { isTurned, stretched, turnedTo } from "@/canvas/turned";

/** The image that an annotation may not leave. */
export type Bounds = { width: number; height: number };

type BBox = [number, number, number, number];

/** A box has at least this side, in pixels. */
const LEAST = 1;

const within = (value: number, low: number, high: number): number => Math.min(Math.max(low, high), Math.max(low, value));
/** A tenth of a pixel is as fine as a hand is. */
const rounded = (value: number): number => Math.round(value * 10) / 10;

const SHAPED: ReadonlySet<string> = new Set(["polygon", "polyline", "point", "keypoints", "rotated_box", "ellipse"]);

/** Whether an annotation has a shape that can be edited by hand. */
export const canReshape = (a: Annotation): boolean =>
  (a.kind === "box" && a.bbox !== null) || (a.kind === "mask" && a.mask !== null) || SHAPED.has(a.kind);

/** An annotation moved as a whole, as far as the image goes. */
export function moved<A extends Annotation>(a: A, dx: number, dy: number, { width, height }: Bounds): A {
  if (a.mask) {
    const mask = shifted(a.mask, dx, dy);
    isMoved(mask, a.mask);
    return withMask(a, mask);
  }
  const box = boxOf(a);
  if (!box) return a;
  const x = rounded(within(dx, -box.x, width - box.w - box.x));
  const y = rounded(within(dy, -box.y, height - box.h - box.y));
  const ring = (points: readonly number[]) => points.map((value, at) => value + (at % 2 ? y : x));
  return {
    ...a,
    bbox: a.bbox && [a.bbox[0] + x, a.bbox[1] + y, a.bbox[2], a.bbox[3]],
    rings: a.rings.map(ring),
    keypoints: a.keypoints.map((value, at) => (at % 3 === 0 ? value + x : at % 3 === 1 ? value + y : value)),
  };
}

/** An annotation with one of its handles at another place. */
export function dragged<A extends Annotation>(a: A, handle: Handle, toX: number, toY: number, { width, height }: Bounds): A {
  const [x, y] = [rounded(within(toX, 0, width)), rounded(within(toY, 0, height))];
  if (handle.what === "turn") return turnedTo(a, toX, toY);
  if (handle.what === "edge" && isTurned(a)) return stretched(a, handle, x, y);
  if (handle.what === "edge") return a.bbox ? { ...a, bbox: resized(a.bbox, handle, x, y) } : a;
  if (handle.what === "keypoint") {
    const keypoints = a.keypoints.map((value, at) => (at === 3 * handle.at ? x : at === 3 * handle.at + 1 ? y : value));
    return { ...a, keypoints };
  }
  const at = handle.what === "middle" ? handle.at + 1 : handle.at;
  const rings = a.rings.map((ring, n) => (n === handle.ring ? ring.toSpliced(2 * at, handle.what === "middle" ? 0 : 2, x, y) : ring));
  return withRings(a, rings);
}

/** The annotation without a vertex; itself where too few would be left. */
export function withoutVertex<A extends Annotation>(a: A, ring: number, at: number): A {
  const least = a.kind === "polygon" ? 3 : a.kind === "polyline" ? 2 : 1;
  const before = a.rings[ring];
  if (!before || before.length / 2 <= least) return a;
  return withRings(a, a.rings.map((one, n) => (n === ring ? one.toSpliced(2 * at, 2) : one)));
}

/** The annotation with a keypoint that is visible (2), hidden (1) or not labelled (0); a new one starts in the middle of the box. */
export function withVisibility<A extends Annotation>(a: A, point: number, visibility: 0 | 1 | 2): A {
  const [x = 0, y = 0, before = 0] = a.keypoints.slice(3 * point, 3 * point + 3);
  if (3 * point + 2 >= a.keypoints.length || before === visibility) return a;
  const box = boxOf(a);
  const middle: [number, number] = box ? [rounded(box.x + box.w / 2), rounded(box.y + box.h / 2)] : [0, 0];
  const [toX, toY] = visibility === 0 ? [0, 0] : before === 0 ? middle : [x, y];
  return { ...a, keypoints: a.keypoints.toSpliced(3 * point, 3, toX, toY, visibility) };
}

/** The annotation with another mask, and the box around it; itself where the mask is the same. */
export function withMask<A extends Annotation>(a: A, mask: NonNullable<Annotation["mask"]>): A {
  if (mask === a.mask) return a;
  const box = extentOf(mask);
  return { ...a, mask, bbox: box ? [box.x, box.y, box.width, box.height] : a.bbox };
}

/** A box between two corners, as far as the image goes; null where it is too small to be meant. */
export function boxBetween(x0: number, y0: number, x1: number, y1: number, { width, height }: Bounds): BBox | null {
  const [left, right] = [within(Math.min(x0, x1), 0, width), within(Math.max(x0, x1), 0, width)];
  const [top, bottom] = [within(Math.min(y0, y1), 0, height), within(Math.max(y0, y1), 0, height)];
  if (right - left < LEAST || bottom - top < LEAST) return null;
  return [rounded(left), rounded(top), rounded(right - left), rounded(bottom - top)];
}

/** Outlines decide the box around them. */
function withRings<A extends Annotation>(a: A, rings: number[][]): A {
  const box = boxOf({ ...a, bbox: null, rings, keypoints: [] });
  return { ...a, rings, bbox: box ? [box.x, box.y, box.w, box.h] : a.bbox };
}

function resized([x, y, w, h]: readonly [number, number, number, number], { across, down }: { across: number; down: number }, toX: number, toY: number): BBox {
  const [left, w2] = side(x, w, across, toX);
  const [top, h2] = side(y, h, down, toY);
  return [left, top, w2, h2];
}

/** One direction of a box whose lower (-1) or upper (1) edge goes elsewhere. An edge does not pass the other. */
function side(from: number, length: number, which: number, to: number): [number, number] {
  const end = from + length;
  if (which < 0) {
    const start = Math.min(to, end - LEAST);
    return [rounded(start), rounded(end - start)];
  }
  return which > 0 ? [from, rounded(Math.max(LEAST, to - from))] : [from, length];
}
