/**
 * A ring with fewer points, none of the left out ones farther than `tolerance` from it.
 * Source: Douglas and Peucker (1973), with a stack; the last point is kept, so that closed and open rings both hold.
 */
export function simplified(ring: readonly number[], tolerance: number): readonly number[] {
  const n = ring.length >> 1;
  if (n <= 4 || tolerance <= 0) return ring;
  const keep = new Uint8Array(n);
  keep[0] = keep[n - 1] = 1;
  const stack: [number, number][] = [[0, n - 1]];
  for (let part = stack.pop(); part; part = stack.pop()) {
    const [from, to] = part;
    let [farthest, most] = [-1, tolerance * tolerance];
    for (let at = from + 1; at < to; at += 1) {
      const distance = squareTo(ring, from, to, at);
      if (distance > most) [farthest, most] = [at, distance];
    }
    if (farthest < 0) continue;
    keep[farthest] = 1;
    stack.push([from, farthest], [farthest, to]);
  }
  const kept: number[] = [];
  for (let at = 0; at < n; at += 1) if (keep[at]) kept.push(ring[2 * at] as number, ring[2 * at + 1] as number);
  return kept;
}

/** The square of the distance of a point from the line between two others. */
function squareTo(ring: readonly number[], from: number, to: number, at: number): number {
  const [ax, ay] = [ring[2 * from] as number, ring[2 * from + 1] as number];
  const [dx, dy] = [(ring[2 * to] as number) - ax, (ring[2 * to + 1] as number) - ay];
  const [px, py] = [(ring[2 * at] as number) - ax, (ring[2 * at + 1] as number) - ay];
  const square = dx * dx + dy * dy;
  const t = square ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
  return (px - t * dx) ** 2 + (py - t * dy) ** 2;
}

/** The level of detail for a scale: 0 is exact, each one above tolerates twice as much. */
export const levelOf = (scale: number): number => (scale >= 1 ? 0 : Math.min(12, 1 + Math.floor(-Math.log2(scale))));

/** What a level tolerates in image pixels: at its scales at most 0.6 px on the screen. */
export const toleranceOf = (level: number): number => (level === 0 ? 0 : 0.6 * 2 ** (level - 1));
