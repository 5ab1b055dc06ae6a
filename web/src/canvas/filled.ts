import type { Annotation, Mask } from "@/api/schema.gen";
import { decode, encode, type Bitmap } from "@/canvas/rle";

type Size = Mask["size"];

/** Pixels whose centre is inside one of the rings, as a mask of `size` (height, width); null where no pixel is. */
export function filled(rings: readonly (readonly number[])[], size: Size): Mask | null {
  const bitmap = bitmapOf(rings, size);
  if (!bitmap) return null;
  for (const ring of rings) fill(bitmap, ring, 1);
  return bitmap.bits.includes(1) ? { size, counts: encode(bitmap, size) } : null;
}

/**
 * An outline or a mask without what is inside a ring, as a mask: outlines have no holes. Null where nothing is left, itself
 * where it has no area to cut from.
 */
export function withHole<A extends Annotation>(a: A, ring: readonly number[], size: Size): A | null {
  const mask = a.mask ?? (a.rings.length && a.kind !== "polyline" && a.kind !== "point" ? filled(a.rings, size) : null);
  const bitmap = mask && decode(mask);
  if (!bitmap) return a;
  fill(bitmap, ring, 0);
  if (!bitmap.bits.includes(1)) return null;
  return { ...a, kind: "mask", rings: [], keypoints: [], mask: { size: [size[0], size[1]], counts: encode(bitmap, size) } };
}

function bitmapOf(rings: readonly (readonly number[])[], [height, width]: Size): Bitmap | null {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      [x0, x1] = [Math.min(x0, ring[i] as number), Math.max(x1, ring[i] as number)];
      [y0, y1] = [Math.min(y0, ring[i + 1] as number), Math.max(y1, ring[i + 1] as number)];
    }
  }
  const [x, y] = [Math.max(0, Math.floor(x0)), Math.max(0, Math.floor(y0))];
  const [w, h] = [Math.min(width, Math.ceil(x1)) - x, Math.min(height, Math.ceil(y1)) - y];
  return w > 0 && h > 0 ? { x, y, width: w, height: h, bits: new Uint8Array(w * h) } : null;
}

/** Set or clear the pixels whose centre is inside a ring: row by row, between pairs of crossings. */
function fill({ x, y, width, height, bits }: Bitmap, ring: readonly number[], value: 0 | 1): void {
  const n = ring.length / 2;
  for (let row = 0; row < height; row += 1) {
    const at = y + row + 0.5;
    const crossings: number[] = [];
    for (let i = 0; i < n; i += 1) {
      const j = (i + 1) % n;
      const [xi, yi, xj, yj] = [ring[2 * i] as number, ring[2 * i + 1] as number, ring[2 * j] as number, ring[2 * j + 1] as number];
      if (yi > at !== yj > at) crossings.push(xi + ((at - yi) * (xj - xi)) / (yj - yi));
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil((crossings[i] as number) - 0.5 - x));
      const to = Math.min(width, Math.ceil((crossings[i + 1] as number) - 0.5 - x));
      if (to > from) bits.fill(value, row * width + from, row * width + to);
    }
  }
}
