import type { Mask } from "@/api/schema.gen";

/**
 * Run lengths of a mask in COCO's compressed string: column by column, background first, each number in groups of five
 * bits, from the third on as a difference to the one before the last. Source: cocoapi, `maskApi.c`, `rleFrString`.
 */
export function runs(counts: string): number[] {
  const lengths: number[] = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more && at < counts.length) {
      const code = counts.charCodeAt(at) - 48;
      at += 1;
      value |= (code & 0x1f) << shift;
      more = (code & 0x20) !== 0;
      shift += 5;
      if (!more && (code & 0x10) !== 0) value |= -1 << shift;
    }
    if (lengths.length > 2) value += lengths[lengths.length - 2] ?? 0;
    lengths.push(value);
  }
  return lengths;
}

/** The compressed string of run lengths: the way back from `runs`. Source: cocoapi, `maskApi.c`, `rleToString`. */
export function compressed(lengths: readonly number[]): string {
  let text = "";
  lengths.forEach((length, at) => {
    let value = at > 2 ? length - (lengths[at - 2] ?? 0) : length;
    for (let more = true; more; ) {
      const bits = value & 0x1f;
      value >>= 5;
      more = (bits & 0x10) !== 0 ? value !== -1 : value !== 0;
      text += String.fromCharCode((more ? bits | 0x20 : bits) + 48);
    }
  });
  return text;
}

export type Extent = { x: number; y: number; width: number; height: number };
export type Bitmap = Extent & { /** Row by row, 1 inside. */ bits: Uint8Array };

/** The smallest box that holds a mask, in image pixels; null where it is empty or nonsense. */
export function extentOf(mask: Mask): Extent | null {
  return spansOf(mask)?.extent ?? null;
}

/** The pixels of a mask within the smallest box that holds them; null where it is empty or nonsense. */
export function decode(mask: Mask): Bitmap | null {
  const found = spansOf(mask);
  if (!found) return null;
  const { spans, extent: box } = found;
  const height = mask.size[0];
  const bits = new Uint8Array(box.width * box.height);
  for (const [from, to] of spans) {
    let [row, column] = [from % height, Math.floor(from / height)];
    for (let at = from; at < to; at += 1) {
      bits[(row - box.y) * box.width + (column - box.x)] = 1;
      row += 1;
      if (row === height) [row, column] = [0, column + 1];
    }
  }
  return { ...box, bits };
}

/** The counts of a mask of `size` (height, width) with these pixels, and none outside their extent. */
export function encode({ x, y, width, height, bits }: Bitmap, size: Mask["size"]): string {
  const spans: Span[] = [];
  for (let column = 0; column < width; column += 1) {
    for (let row = 0; row < height; row += 1) {
      if (!bits[row * width + column]) continue;
      const from = (x + column) * size[0] + y + row;
      while (row < height && bits[row * width + column]) row += 1;
      const to = (x + column) * size[0] + y + row;
      const last = spans.at(-1);
      // A column that ends where the next one begins is one run.
      if (last?.[1] === from) last[1] = to;
      else spans.push([from, to]);
    }
  }
  return countsOf(spans, size);
}

/** A mask moved by whole pixels, as far as the image goes; itself where it cannot move. */
export function shifted(mask: Mask, dx: number, dy: number): Mask {
  const read = spansOf(mask);
  if (!read) return mask;
  const [height, width] = mask.size;
  const { x, y, width: w, height: h } = read.extent;
  const across = Math.min(width - w - x, Math.max(-x, Math.round(dx)));
  const down = Math.min(height - h - y, Math.max(-y, Math.round(dy)));
  // A run over the end of a column fills it, and then the mask cannot move up or down.
  const by = across * height + down;
  return by === 0 ? mask : { size: mask.size, counts: countsOf(read.spans.map(([from, to]) => [from + by, to + by]), mask.size) };
}

/** Pixels inside a mask. */
export function pixelsOf(mask: Mask): number {
  return spansOf(mask)?.spans.reduce((sum, [from, to]) => sum + to - from, 0) ?? 0;
}

type Span = [from: number, to: number];

function countsOf(spans: readonly Span[], [height, width]: Mask["size"]): string {
  const lengths: number[] = [];
  let at = 0;
  for (const [from, to] of spans) {
    lengths.push(from - at, to - from);
    at = to;
  }
  if (at < height * width) lengths.push(height * width - at);
  return compressed(lengths);
}

function spansOf(mask: Mask): { spans: Span[]; extent: Extent } | null {
  const [height, width] = mask.size;
  const lengths = runs(mask.counts);
  if (!(height > 0 && width > 0) || height * width > 2 ** 28 || lengths.some((n) => n < 0)) return null;
  const spans = filled(lengths, height * width);
  if (spans.length === 0) return null;
  let [top, bottom] = [height, -1];
  for (const [from, to] of spans) {
    const whole = Math.floor(from / height) !== Math.floor((to - 1) / height);
    top = whole ? 0 : Math.min(top, from % height);
    bottom = whole ? height - 1 : Math.max(bottom, (to - 1) % height);
  }
  const left = Math.floor((spans[0]?.[0] ?? 0) / height);
  const right = Math.floor(((spans.at(-1)?.[1] ?? 1) - 1) / height);
  return { spans, extent: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 } };
}

function filled(lengths: number[], size: number): Span[] {
  const spans: Span[] = [];
  let at = 0;
  lengths.forEach((n, index) => {
    const end = Math.min(size, at + n);
    if (index % 2 === 1 && end > at) spans.push([at, end]);
    at = end;
  });
  return spans;
}
