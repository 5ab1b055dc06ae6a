import type { Annotation } from "@/api/schema.gen";
import { rectOf, type Rect } from "@/canvas/shapes";

type Ring = [number, number, number, number, number, number, number, number];

/** A side of a turned box or ellipse has at least this length, in pixels. */
const LEAST_PX = 1;
const TURN = 2 * Math.PI;

const rounded = (value: number, steps: number): number => Math.round(value * steps) / steps;

/** Rotated boxes and ellipses: four corners of a rectangle, clockwise as seen, from the one that is top left at angle 0. */
export const isTurned = (a: Annotation): boolean => a.kind === "rotated_box" || a.kind === "ellipse";

/** The corners of a rectangle: what `rectOf` reads. */
export function cornersOf({ x, y, w, h, angle }: Rect): Ring {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const at = (i: number, j: number): [number, number] => [x + (i * w * cos - j * h * sin) / 2, y + (i * w * sin + j * h * cos) / 2];
  return [...at(-1, -1), ...at(1, -1), ...at(1, 1), ...at(-1, 1)];
}

/** The upright box around a turned box, or around an ellipse itself: left, top, width, height. */
export function boundsOf(kind: string, { x, y, w, h, angle }: Rect): [number, number, number, number] {
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const reach = (a: number, b: number) => (kind === "ellipse" ? Math.hypot(a, b) : a + b) / 2;
  const [halfW, halfH] = [reach(w * cos, h * sin), reach(w * sin, h * cos)];
  return [x - halfW, y - halfH, 2 * halfW, 2 * halfH];
}

/** A turned box or ellipse with another rectangle. Its sides keep to a tenth of a pixel, its angle to a hundredth of a degree. */
export function withRect<A extends Annotation>(a: A, rect: Rect): A {
  const angle = rounded((within(rect.angle) * 360) / TURN, 100) * (TURN / 360);
  const next = { x: rect.x, y: rect.y, w: rounded(rect.w, 10), h: rounded(rect.h, 10), angle };
  return { ...a, rings: [cornersOf(next)], bbox: boundsOf(a.kind, next) };
}

/** An angle in radians, above -pi and up to pi. */
function within(angle: number): number {
  const turned = angle - TURN * Math.floor(angle / TURN);
  return turned > TURN / 2 ? turned - TURN : turned;
}

/** Turned about its centre, clockwise in degrees; other kinds stay as they are. */
export function turned<A extends Annotation>(a: A, degrees: number): A {
  const rect = isTurned(a) ? rectOf(a.rings[0]) : null;
  return rect ? withRect(a, { ...rect, angle: rect.angle + (degrees * TURN) / 360 }) : a;
}

/** Turned so that the middle of its first side looks at a place; `step` degrees at a time where one is given. */
export function turnedTo<A extends Annotation>(a: A, toX: number, toY: number, step = 0): A {
  const rect = rectOf(a.rings[0]);
  if (!rect || (toX === rect.x && toY === rect.y)) return a;
  const angle = Math.atan2(toX - rect.x, rect.y - toY);
  const steps = step ? (step * TURN) / 360 : 0;
  return withRect(a, { ...rect, angle: steps ? Math.round(angle / steps) * steps : angle });
}

/** With an edge or a corner at another place, along its own axes; the opposite edge stays where it is. */
export function stretched<A extends Annotation>(a: A, { across, down }: { across: number; down: number }, toX: number, toY: number): A {
  const rect = rectOf(a.rings[0]);
  if (!rect) return a;
  const [cos, sin] = [Math.cos(rect.angle), Math.sin(rect.angle)];
  const [u, v] = [(toX - rect.x) * cos + (toY - rect.y) * sin, (toY - rect.y) * cos - (toX - rect.x) * sin];
  const [w, h] = [side(rect.w, across, u), side(rect.h, down, v)];
  const [du, dv] = [(across * (w - rect.w)) / 2, (down * (h - rect.h)) / 2];
  return withRect(a, { ...rect, w, h, x: rect.x + du * cos - dv * sin, y: rect.y + du * sin + dv * cos });
}

/** The length of a side, one end of which (`which`: -1 or 1) goes to `to`, from the old centre; it does not pass the other end. */
const side = (length: number, which: number, to: number): number =>
  which === 0 ? length : Math.max(LEAST_PX, rounded(length / 2 + which * to, 10));
