import type { Annotation } from "@/api/schema.gen";
import { distanceTo, inEllipse, isFlat, rectOf } from "@/canvas/shapes";

/** Image pixels to screen pixels: `x * scale + dx`. */
export type View = { scale: number; dx: number; dy: number };
export type Box = { x: number; y: number; w: number; h: number };

/** The view that shows a whole image in the middle of a space. */
export function fit(width: number, height: number, spaceW: number, spaceH: number, margin = 0): View {
  const scale = Math.min((spaceW - 2 * margin) / width, (spaceH - 2 * margin) / height);
  return { scale, dx: (spaceW - width * scale) / 2, dy: (spaceH - height * scale) / 2 };
}

/** The view that shows a box, with room around it. */
export function fitBox(box: Box, spaceW: number, spaceH: number, most = 12): View {
  const [w, h] = [Math.max(box.w, 1), Math.max(box.h, 1)];
  const scale = Math.min(most, (0.5 * spaceW) / w, (0.5 * spaceH) / h);
  return { scale, dx: spaceW / 2 - (box.x + box.w / 2) * scale, dy: spaceH / 2 - (box.y + box.h / 2) * scale };
}

/** Zoom by a factor with the point under the pointer in its place. */
export function zoomAt(view: View, factor: number, x: number, y: number, low: number, high: number): View {
  const scale = Math.min(high, Math.max(low, view.scale * factor));
  const by = scale / view.scale;
  return { scale, dx: x - (x - view.dx) * by, dy: y - (y - view.dy) * by };
}

/** Keep some of the image on the screen. */
export function kept(view: View, width: number, height: number, spaceW: number, spaceH: number): View {
  const edge = 60;
  const [w, h] = [width * view.scale, height * view.scale];
  return {
    scale: view.scale,
    dx: Math.min(spaceW - edge, Math.max(edge - w, view.dx)),
    dy: Math.min(spaceH - edge, Math.max(edge - h, view.dy)),
  };
}

/** The box around an annotation, from whatever geometry it has. */
export function boxOf(a: Annotation): Box | null {
  if (a.bbox) return { x: a.bbox[0], y: a.bbox[1], w: a.bbox[2], h: a.bbox[3] };
  const points: [number, number][] = [];
  for (const ring of a.rings) for (let i = 0; i + 1 < ring.length; i += 2) points.push([ring[i] ?? 0, ring[i + 1] ?? 0]);
  for (let i = 0; i + 2 < a.keypoints.length; i += 3) {
    if (a.keypoints[i + 2]) points.push([a.keypoints[i] ?? 0, a.keypoints[i + 1] ?? 0]);
  }
  if (points.length === 0) return null;
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

export const areaOf = (a: Annotation): number => {
  const box = boxOf(a);
  return box ? Math.max(0, box.w) * Math.max(0, box.h) : 0;
};

/** Whether a point is inside rings (even-odd, so that holes are holes). */
export function inRings(rings: readonly number[][], x: number, y: number): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 2; i + 1 < ring.length; j = i, i += 2) {
      const [xi, yi, xj, yj] = [ring[i] ?? 0, ring[i + 1] ?? 0, ring[j] ?? 0, ring[j + 1] ?? 0];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

/** The smallest annotation at a point of the image; lines and points, which cover nothing, before all others. */
export function hit(annotations: readonly Annotation[], x: number, y: number, slack: number): Annotation | null {
  let best: Annotation | null = null;
  for (const a of annotations) {
    const box = boxOf(a);
    if (!box || x < box.x - slack || y < box.y - slack || x > box.x + box.w + slack || y > box.y + box.h + slack) continue;
    if (!isOn(a, box, x, y, slack)) continue;
    if (!best || rank(a) < rank(best)) best = a;
  }
  return best;
}

const rank = (a: Annotation): number => (isFlat(a) ? -1 : areaOf(a));

/** Whether a point of the image is on an annotation, whose box is known; that it is in the box is checked where it is asked for. */
export function isOn(a: Annotation, box: Box, x: number, y: number, slack: number, checksBox = false): boolean {
  if (checksBox && (x < box.x - slack || y < box.y - slack || x > box.x + box.w + slack || y > box.y + box.h + slack)) return false;
  if (isFlat(a)) return distanceTo(a, x, y) <= 1.5 * slack;
  const isSmall = box.w < 12 || box.h < 12;
  if (isSmall || !a.rings.length) return true;
  const rect = a.kind === "ellipse" ? rectOf(a.rings[0]) : null;
  if (rect) return inEllipse(rect, x, y);
  return (a.kind !== "polygon" && a.kind !== "rotated_box") || inRings(a.rings, x, y);
}
