import type { At } from "@/canvas/drawing";
import type { Scene } from "@/canvas/scene";

/** Outlines that neighbours may share a border with. */
const OUTLINED: ReadonlySet<string> = new Set(["polygon", "polyline", "rotated_box"]);
/** A vertex draws before a side within this part of the reach. */
const BEFORE_SIDES = 0.6;

/** The nearest vertex, else the nearest place on a side, of outlines within `reach` image pixels; the place itself where none is. */
export function snapped(scene: Scene, at: At, reach: number, without: string | null): At {
  const corner = { at: null as At | null, away: reach * BEFORE_SIDES };
  const side = { at: null as At | null, away: reach };
  const take = (best: typeof side, place: At) => {
    const away = Math.hypot(place.x - at.x, place.y - at.y);
    if (away < best.away) [best.at, best.away] = [place, away];
  };
  for (const { a } of scene.within([at.x - reach, at.y - reach, at.x + reach, at.y + reach])) {
    if (a.id === without || !OUTLINED.has(a.kind)) continue;
    for (const ring of a.rings) {
      const n = ring.length / 2;
      for (let i = 0; i < n; i += 1) {
        const next = (i + 1) % n;
        if (a.kind === "polyline" && next === 0) continue;
        const from = { x: ring[2 * i] as number, y: ring[2 * i + 1] as number };
        const to = { x: ring[2 * next] as number, y: ring[2 * next + 1] as number };
        take(corner, from);
        take(corner, to);
        take(side, nearestOn(from, to, at));
      }
    }
  }
  return corner.at ?? side.at ?? at;
}

function nearestOn(from: At, to: At, at: At): At {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const square = dx * dx + dy * dy;
  const t = square ? Math.min(1, Math.max(0, ((at.x - from.x) * dx + (at.y - from.y) * dy) / square)) : 0;
  return { x: from.x + t * dx, y: from.y + t * dy };
}
