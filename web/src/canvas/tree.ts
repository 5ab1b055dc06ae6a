/** Corners of a rectangle. */
export type Corners = readonly [x0: number, y0: number, x1: number, y1: number];

const FANOUT = 16;

/**
 * Which rectangles touch another: a static R-tree, packed by "sort-tile-recursive" (Leutenegger, Lopez, Edgington, 1997).
 * Level 0 holds the rectangles themselves, each level above it the bounds of `FANOUT` entries of the one below.
 */
export class Tree {
  private readonly ids: Uint32Array;
  private readonly levels: Float64Array[] = [];

  constructor(boxes: readonly Corners[]) {
    this.ids = Uint32Array.from(tiled(boxes));
    let bounds: Float64Array = new Float64Array(4 * boxes.length);
    this.ids.forEach((id, at) => bounds.set(boxes[id] ?? [0, 0, 0, 0], 4 * at));
    this.levels.push(bounds);
    while (bounds.length > 4 * FANOUT) {
      bounds = above(bounds);
      this.levels.push(bounds);
    }
  }

  /** Indices of the rectangles that touch [x0, x1] x [y0, y1], in no order. */
  search(x0: number, y0: number, x1: number, y1: number): number[] {
    const hits: number[] = [];
    const visit = (level: number, from: number, to: number) => {
      const bounds = this.levels[level] as Float64Array;
      for (let at = from; at < Math.min(to, bounds.length / 4); at += 1) {
        const i = 4 * at;
        if ((bounds[i] as number) > x1 || (bounds[i + 1] as number) > y1 || (bounds[i + 2] as number) < x0 || (bounds[i + 3] as number) < y0) continue;
        if (level === 0) hits.push(this.ids[at] as number);
        else visit(level - 1, at * FANOUT, (at + 1) * FANOUT);
      }
    };
    visit(this.levels.length - 1, 0, Infinity);
    return hits;
  }
}

function above(bounds: Float64Array): Float64Array {
  const n = Math.ceil(bounds.length / 4 / FANOUT);
  const parents = new Float64Array(4 * n);
  for (let at = 0; at < n; at += 1) parents.set([Infinity, Infinity, -Infinity, -Infinity], 4 * at);
  for (let i = 0; i < bounds.length; i += 1) {
    const to = 4 * Math.floor(i / 4 / FANOUT) + (i % 4);
    parents[to] = i % 4 < 2 ? Math.min(parents[to] as number, bounds[i] as number) : Math.max(parents[to] as number, bounds[i] as number);
  }
  return parents;
}

/** Indices in vertical slices, each from top to bottom, so that neighbours share a parent. */
function tiled(boxes: readonly Corners[]): number[] {
  const x = boxes.map((b) => b[0] + b[2]);
  const y = boxes.map((b) => b[1] + b[3]);
  const order = boxes.map((_, at) => at).sort((a, b) => (x[a] as number) - (x[b] as number));
  const slice = FANOUT * Math.ceil(Math.sqrt(boxes.length / FANOUT));
  const ids: number[] = [];
  for (let at = 0; at < order.length; at += slice) {
    ids.push(...order.slice(at, at + slice).sort((a, b) => (y[a] as number) - (y[b] as number)));
  }
  return ids;
}
