import type { Annotation } from "@/api/schema.gen";
import type { View } from "@/canvas/geometry";
import { levelOf, simplified, toleranceOf } from "@/canvas/simplify";

/** A turned rectangle: its centre, its sides and its angle, clockwise in radians. */
export type Rect = { x: number; y: number; w: number; h: number; angle: number };

/** The rectangle of four corners, as rotated boxes and ellipses are held. */
export function rectOf(ring: readonly number[] | undefined): Rect | null {
  if (!ring || ring.length !== 8) return null;
  const [ax, ay, bx, by, cx, cy, dx, dy] = ring as [number, number, number, number, number, number, number, number];
  const across = { x: (bx - ax + cx - dx) / 4, y: (by - ay + cy - dy) / 4 };
  const down = { x: (dx - ax + cx - bx) / 4, y: (dy - ay + cy - by) / 4 };
  return {
    x: (ax + bx + cx + dx) / 4, y: (ay + by + cy + dy) / 4, w: 2 * Math.hypot(across.x, across.y), h: 2 * Math.hypot(down.x, down.y),
    angle: Math.atan2(across.y, across.x),
  };
}

/** Lines and points cover no area: their box is only what they reach. */
export const isFlat = (a: Annotation): boolean => a.kind === "polyline" || a.kind === "point";

/** Kinds that say something of the whole image. */
export const isWhole = (a: Annotation): boolean => a.kind === "classification" || a.kind === "caption";

/** A kind in words. */
export const kindText = (kind: string): string => (kind === "classification" ? "whole image" : kind.replaceAll("_", " "));

/** The length of a polyline in pixels. */
export function lengthOf(rings: readonly number[][]): number {
  let length = 0;
  for (const ring of rings) {
    for (let i = 0; i + 3 < ring.length; i += 2) length += Math.hypot((ring[i + 2] ?? 0) - (ring[i] ?? 0), (ring[i + 3] ?? 0) - (ring[i + 1] ?? 0));
  }
  return length;
}

/** The distance of a point from lines, or from the points of a point. */
export function distanceTo(a: Annotation, x: number, y: number): number {
  let least = Infinity;
  for (const ring of a.rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      const [px, py] = [ring[i] ?? 0, ring[i + 1] ?? 0];
      const isLine = a.kind === "polyline" && i + 3 < ring.length;
      const [sx, sy] = isLine ? [(ring[i + 2] ?? 0) - px, (ring[i + 3] ?? 0) - py] : [0, 0];
      const square = sx * sx + sy * sy;
      const t = square ? Math.min(1, Math.max(0, ((x - px) * sx + (y - py) * sy) / square)) : 0;
      least = Math.min(least, Math.hypot(x - px - t * sx, y - py - t * sy));
    }
  }
  return least;
}

/** Whether a point is inside the ellipse of four corners. */
export function inEllipse(rect: Rect, x: number, y: number): boolean {
  const [dx, dy] = [x - rect.x, y - rect.y];
  const [cos, sin] = [Math.cos(rect.angle), Math.sin(rect.angle)];
  const [u, v] = [(dx * cos + dy * sin) / (rect.w / 2), (-dx * sin + dy * cos) / (rect.h / 2)];
  return u * u + v * v <= 1;
}

/** Outlines by level of detail; annotations are never changed in place. */
const outlines = new WeakMap<Annotation, Map<number, Path2D>>();

/**
 * The outline of rings in image pixels, for drawing at a scale: closed, open for lines, the ellipse itself for ellipses.
 * Kept, because building it costs more than drawing it.
 */
export function outlineOf(a: Annotation, scale: number): Path2D {
  const level = a.rings.some((ring) => ring.length > 12) ? levelOf(scale * (globalThis.devicePixelRatio || 1)) : 0;
  let levels = outlines.get(a);
  if (!levels) outlines.set(a, (levels = new Map()));
  let path = levels.get(level);
  if (!path) levels.set(level, (path = traced(a, toleranceOf(level))));
  return path;
}

function traced(a: Annotation, tolerance: number): Path2D {
  const path = new Path2D();
  const rect = a.kind === "ellipse" ? rectOf(a.rings[0]) : null;
  if (rect) {
    path.ellipse(rect.x, rect.y, rect.w / 2, rect.h / 2, rect.angle, 0, 2 * Math.PI);
    return path;
  }
  for (const ring of a.rings) {
    const points = simplified(ring, tolerance);
    for (let i = 0; i + 1 < points.length; i += 2) {
      if (i === 0) path.moveTo(points[i] as number, points[i + 1] as number);
      else path.lineTo(points[i] as number, points[i + 1] as number);
    }
    if (a.kind !== "polyline") path.closePath();
  }
  return path;
}

/** A tick from the middle of the first side inwards, in image pixels: which way a rotated box is turned. */
export function tickOf(rect: Rect): Path2D {
  const path = new Path2D();
  const [sin, cos] = [Math.sin(rect.angle), Math.cos(rect.angle)];
  const at = (part: number) => [rect.x + sin * rect.h * part, rect.y - cos * rect.h * part] as const;
  path.moveTo(...at(0.5));
  path.lineTo(...at(0.28));
  return path;
}

/** Dots at all points of rings, of a size on the screen. */
export function dotsOf(rings: readonly number[][], { scale, dx, dy }: View, radius: number): Path2D {
  const path = new Path2D();
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      const [x, y] = [(ring[i] ?? 0) * scale + dx, (ring[i + 1] ?? 0) * scale + dy];
      path.moveTo(x + radius, y);
      path.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
  return path;
}
