import { decode, type Extent } from "@/canvas/rle";
import type { Mask } from "@/api/schema.gen";

/** A decoded mask as pixels of one colour: its edge opaque, its inside see-through. */
export type Tinted = Extent & { rgba: Uint8ClampedArray<ArrayBuffer> };

export function tint(mask: Mask, colour: string): Tinted | null {
  const bitmap = decode(mask);
  if (!bitmap) return null;
  const { x, y, width, height, bits } = bitmap;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const rgba = new Uint8ClampedArray(4 * width * height);
  const edge = Math.max(1, Math.round(Math.max(width, height) / 160));
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = row * width + column;
      if (!bits[at]) continue;
      const isInner =
        column >= edge && column + edge < width && row >= edge && row + edge < height &&
        bits[at - edge] && bits[at + edge] && bits[at - edge * width] && bits[at + edge * width];
      rgba[4 * at] = red;
      rgba[4 * at + 1] = green;
      rgba[4 * at + 2] = blue;
      rgba[4 * at + 3] = isInner ? 95 : 255;
    }
  }
  return { x, y, width, height, rgba };
}
