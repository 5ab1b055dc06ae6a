import type { View } from "@/canvas/geometry";

/** Points on a plane: x, y by turns, from -1 to 1, and for each the number of its colour; `FAINT` is not chosen. */
export type Cloud = { places: Float32Array; numbers: Uint8Array };

export const FAINT = 255;

/** What a point is drawn with: rows of a filled circle, as offsets from its middle. */
function disc(radius: number): readonly (readonly [number, number, number])[] {
  const rows: [number, number, number][] = [];
  for (let dy = -Math.ceil(radius); dy <= Math.ceil(radius); dy += 1) {
    const half = Math.floor(Math.sqrt(Math.max(0, (radius + 0.25) ** 2 - dy * dy)));
    if (Math.abs(dy) <= radius + 0.25) rows.push([dy, -half, half]);
  }
  return rows;
}

/** How large points are drawn, in pixels: smaller the more there are. */
export const radiusFor = (n: number): number => (n > 200_000 ? 0.5 : n > 30_000 ? 1 : n > 5_000 ? 1.75 : 2.75);

/**
 * Draw all points into pixels (0xAABBGGRR). Written into an image by the processor, which takes some 20 ms for a million
 * points and needs no graphics card; the faint ones come first, so that the others lie above them.
 */
export function plot(pixels: Uint32Array, width: number, height: number, cloud: Cloud, view: View, colours: readonly number[], faint: number, radius: number): void {
  const rows = disc(radius);
  const edge = Math.ceil(radius);
  const { places, numbers } = cloud;
  for (const isFaint of [true, false]) {
    for (let at = 0; at < numbers.length; at += 1) {
      const number = numbers[at] ?? FAINT;
      if ((number === FAINT) !== isFaint) continue;
      const x = Math.round((places[2 * at] ?? 0) * view.scale + view.dx);
      const y = Math.round((places[2 * at + 1] ?? 0) * view.scale + view.dy);
      if (x < edge || y < edge || x >= width - edge || y >= height - edge) continue;
      const colour = isFaint ? faint : (colours[number] ?? faint);
      for (const [dy, left, right] of rows) {
        const start = (y + dy) * width + x;
        for (let i = start + left; i <= start + right; i += 1) pixels[i] = colour;
      }
    }
  }
}

/** A colour #rrggbb as the pixel of an image. */
export function pixelOf(colour: string, alpha = 255): number {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) || 0);
  return ((alpha << 24) | ((b ?? 0) << 16) | ((g ?? 0) << 8) | (r ?? 0)) >>> 0;
}

/** Finds the point nearest to a place, among a million at once: points are sorted into cells. */
export class Nearest {
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;
  private readonly side: number;

  constructor(private readonly places: Float32Array) {
    const n = places.length / 2;
    this.side = Math.min(512, Math.max(1, Math.floor(Math.sqrt(n / 4))));
    const cells = new Uint32Array(n);
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let at = 0; at < n; at += 1) {
      const cell = this.cell(places[2 * at] ?? 0) + this.side * this.cell(places[2 * at + 1] ?? 0);
      cells[at] = cell;
      this.starts[cell + 1] = (this.starts[cell + 1] ?? 0) + 1;
    }
    for (let cell = 0; cell < this.side * this.side; cell += 1) this.starts[cell + 1] = (this.starts[cell + 1] ?? 0) + (this.starts[cell] ?? 0);
    const next = this.starts.slice();
    this.order = new Uint32Array(n);
    for (let at = 0; at < n; at += 1) {
      const cell = cells[at] ?? 0;
      this.order[next[cell] ?? 0] = at;
      next[cell] = (next[cell] ?? 0) + 1;
    }
  }

  /** The index of the nearest point within a distance; null where there is none. */
  to(x: number, y: number, most: number): number | null {
    let best: number | null = null;
    let least = most * most;
    const [left, right] = [this.cell(x - most), this.cell(x + most)];
    for (let row = this.cell(y - most); row <= this.cell(y + most); row += 1) {
      for (let i = this.starts[row * this.side + left] ?? 0; i < (this.starts[row * this.side + right + 1] ?? 0); i += 1) {
        const at = this.order[i] ?? 0;
        const far = ((this.places[2 * at] ?? 0) - x) ** 2 + ((this.places[2 * at + 1] ?? 0) - y) ** 2;
        if (far <= least) [best, least] = [at, far];
      }
    }
    return best;
  }

  private cell(value: number): number {
    return Math.min(this.side - 1, Math.max(0, Math.floor(((value + 1) / 2) * this.side)));
  }
}

export type Corner = readonly [number, number];

/** Which points lie inside a polygon (even-odd rule), those that are faint left out. */
export function countInside({ places, numbers }: Cloud, corners: readonly Corner[]): number {
  let n = 0;
  for (let at = 0; at < numbers.length; at += 1) {
    if (numbers[at] !== FAINT && isInside(corners, places[2 * at] ?? 0, places[2 * at + 1] ?? 0)) n += 1;
  }
  return n;
}

function isInside(corners: readonly Corner[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [corners[i] ?? [0, 0], corners[j] ?? [0, 0]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** A drawn line with fewer corners: those nearer than `least` to the last one kept are left out. */
export function thinned(corners: readonly Corner[], least: number, most = 200): Corner[] {
  const kept: Corner[] = [];
  for (const corner of corners) {
    const last = kept.at(-1);
    if (!last || Math.hypot(corner[0] - last[0], corner[1] - last[1]) >= least) kept.push(corner);
  }
  return kept.length > most ? thinned(kept, least * 1.5, most) : kept;
}

/** Corners as text for an address, and back; null for anything else. */
export const cornersText = (corners: readonly Corner[]): string => corners.map(([x, y]) => `${x.toFixed(3)},${y.toFixed(3)}`).join(";");

export function cornersOf(text: string | undefined): Corner[] | null {
  const corners = (text ?? "").split(";").map((pair) => pair.split(",").map(Number));
  const isPolygon = corners.length >= 3 && corners.every((pair) => pair.length === 2 && pair.every(Number.isFinite));
  return isPolygon ? corners.map(([x = 0, y = 0]) => [x, y] as const) : null;
}
