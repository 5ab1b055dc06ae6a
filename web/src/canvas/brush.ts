import type { Mask } from "@/api/schema.gen";
import { decode, encode, type Bitmap } from "@/canvas/rle";

/** One stroke: where the hand went (x1, y1, x2, y2, ... in image pixels), and how thick the brush is. */
export type Stroke = { points: readonly number[]; radius: number; erase: boolean };

export const RADII = { min: 1, max: 200, usual: 12 } as const;

/** The next thicker or thinner brush: by a quarter, and by at least one pixel. */
export function stepRadius(radius: number, by: 1 | -1): number {
  const step = Math.max(1, Math.round(radius / 4));
  return Math.min(RADII.max, Math.max(RADII.min, radius + by * step));
}

/**
 * The mask with a stroke added or erased: pixels whose centre is within the radius of the line that the brush went along.
 * The mask itself where nothing changes; null where no pixel would be left.
 */
export function painted(mask: Mask, stroke: Stroke): Mask | null {
  const [height, width] = mask.size;
  const before = decode(mask);
  const part = reachOf(stroke, width, height);
  if (!part || (stroke.erase && !before)) return mask;
  const bitmap = stroke.erase && before ? before : grown(before, part);
  if (!paint(bitmap, stroke)) return mask;
  return bitmap.bits.includes(1) ? { size: mask.size, counts: encode(bitmap, mask.size) } : null;
}

/** The whole pixels that a stroke can touch: left, top, and past right and bottom. */
function reachOf({ points, radius }: Stroke, width: number, height: number): [number, number, number, number] | null {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [x, y] = [points[i] as number, points[i + 1] as number];
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  }
  const [left, top] = [Math.max(0, Math.floor(x0 - radius)), Math.max(0, Math.floor(y0 - radius))];
  const [right, bottom] = [Math.min(width, Math.ceil(x1 + radius)), Math.min(height, Math.ceil(y1 + radius))];
  return right > left && bottom > top ? [left, top, right, bottom] : null;
}

/** The same pixels in an extent that has room for a part of the image too. */
function grown(before: Bitmap | null, [left, top, right, bottom]: [number, number, number, number]): Bitmap {
  const old = before ?? { x: left, y: top, width: 0, height: 0, bits: new Uint8Array() };
  const [x, y] = [Math.min(old.x, left), Math.min(old.y, top)];
  const [width, height] = [Math.max(old.x + old.width, right) - x, Math.max(old.y + old.height, bottom) - y];
  const bits = new Uint8Array(width * height);
  for (let row = 0; row < old.height; row += 1) {
    bits.set(old.bits.subarray(row * old.width, (row + 1) * old.width), (row + old.y - y) * width + old.x - x);
  }
  return { x, y, width, height, bits };
}

/** Set or clear the pixels of a stroke; whether any changed. */
function paint(bitmap: Bitmap, { points, radius, erase }: Stroke): boolean {
  const value = erase ? 0 : 1;
  let hasChanged = false;
  for (let i = 0; i + 1 < points.length; i += 2) {
    const from = Math.max(0, i - 2);
    const segment = [points[from], points[from + 1], points[i], points[i + 1]] as [number, number, number, number];
    if (paintSegment(bitmap, segment, radius, value)) hasChanged = true;
  }
  return hasChanged;
}

function paintSegment({ x, y, width, height, bits }: Bitmap, [ax, ay, bx, by]: [number, number, number, number], radius: number, value: 0 | 1): boolean {
  const [left, right] = [Math.max(x, Math.floor(Math.min(ax, bx) - radius)), Math.min(x + width, Math.ceil(Math.max(ax, bx) + radius))];
  const [top, bottom] = [Math.max(y, Math.floor(Math.min(ay, by) - radius)), Math.min(y + height, Math.ceil(Math.max(ay, by) + radius))];
  const [sx, sy] = [bx - ax, by - ay];
  const square = sx * sx + sy * sy;
  let hasChanged = false;
  for (let row = top; row < bottom; row += 1) {
    for (let column = left; column < right; column += 1) {
      const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
      const t = square ? Math.min(1, Math.max(0, (px * sx + py * sy) / square)) : 0;
      if ((px - t * sx) ** 2 + (py - t * sy) ** 2 > radius * radius) continue;
      const at = (row - y) * width + column - x;
      if (bits[at] === value) continue;
      bits[at] = value;
      hasChanged = true;
    }
  }
  return hasChanged;
}
