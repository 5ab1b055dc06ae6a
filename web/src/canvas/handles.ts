import type { Annotation } from "@/api/schema.gen";
import type { View } from "@/canvas/geometry";
import { rectOf, type Rect } from "@/canvas/shapes";
import { isTurned } from "@/canvas/turned";

/**
 * A place to take hold of an annotation by. `corner` and `side` of a box (which edges it moves: -1 left or top, 1 right or
 * bottom, 0 neither), `vertex` of a ring, `middle` between two vertices (a vertex can be put there), `keypoint`, `turn`: a knob
 * away from the first side (in the direction `away`), by which boxes and ellipses are turned about their centre.
 */
export type Handle =
  | { what: "edge"; x: number; y: number; across: -1 | 0 | 1; down: -1 | 0 | 1; /** Of its own axes, clockwise in radians. */ angle?: number }
  | { what: "turn"; x: number; y: number; away: readonly [number, number] }
  | { what: "vertex" | "middle"; x: number; y: number; ring: number; at: number }
  | { what: "keypoint"; x: number; y: number; at: number };

type Edge = Extract<Handle, { what: "edge" }>;

/** More vertices than this have no handles between them. */
const CROWDED = 300;
/** Pixels of the screen between the first side and the knob that turns. */
const STALK = 26;

/** Where an annotation can be taken hold of, in image pixels. */
export function handlesOf(a: Annotation): Handle[] {
  if (a.kind === "polygon" || a.kind === "polyline" || a.kind === "point") return ringHandles(a);
  const rect = isTurned(a) ? rectOf(a.rings[0]) : null;
  if (rect) return turnedHandles(rect);
  if (a.kind === "keypoints" || a.keypoints.length) return keypointHandles(a);
  return a.kind === "box" && a.bbox ? boxHandles(a.bbox) : [];
}

function boxHandles([x, y, w, h]: readonly [number, number, number, number]): Edge[] {
  const steps = [-1, 0, 1] as const;
  return steps.flatMap((down) =>
    steps.flatMap((across): Edge[] =>
      across === 0 && down === 0 ? [] : [{ what: "edge", across, down, x: x + ((across + 1) / 2) * w, y: y + ((down + 1) / 2) * h }],
    ),
  );
}

/** Those of a box on its own axes, and the knob that turns it. */
function turnedHandles({ x, y, w, h, angle }: Rect): Handle[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const edges = boxHandles([-w / 2, -h / 2, w, h]).map((one): Handle => ({ ...one, angle, x: x + one.x * cos - one.y * sin, y: y + one.x * sin + one.y * cos }));
  return [...edges, { what: "turn", x: x + (h / 2) * sin, y: y - (h / 2) * cos, away: [sin, -cos] }];
}

/** Where a handle is on the screen. */
export function placeOf(handle: Handle, { scale, dx, dy }: View): { x: number; y: number } {
  const [right, down] = handle.what === "turn" ? [handle.away[0] * STALK, handle.away[1] * STALK] : [0, 0];
  return { x: handle.x * scale + dx + right, y: handle.y * scale + dy + down };
}

function ringHandles(a: Annotation): Handle[] {
  const total = a.rings.reduce((n, ring) => n + ring.length / 2, 0);
  return a.rings.flatMap((ring, at) => {
    const vertices: Handle[] = [];
    const middles: Handle[] = [];
    const n = ring.length / 2;
    for (let i = 0; i < n; i += 1) {
      const [x, y] = [ring[2 * i] as number, ring[2 * i + 1] as number];
      vertices.push({ what: "vertex", ring: at, at: i, x, y });
      const next = (i + 1) % n;
      if (a.kind === "point" || total > CROWDED || (a.kind === "polyline" && next === 0)) continue;
      middles.push({ what: "middle", ring: at, at: i, x: (x + (ring[2 * next] as number)) / 2, y: (y + (ring[2 * next + 1] as number)) / 2 });
    }
    return [...middles, ...vertices];
  });
}

function keypointHandles(a: Annotation): Handle[] {
  const handles: Handle[] = [];
  for (let at = 0; 3 * at + 2 < a.keypoints.length; at += 1) {
    if (a.keypoints[3 * at + 2]) handles.push({ what: "keypoint", at, x: a.keypoints[3 * at] as number, y: a.keypoints[3 * at + 1] as number });
  }
  return handles;
}

/** The handle at a place of the screen, the last drawn first; null where there is none within `reach` screen pixels. */
export function handleAt(handles: readonly Handle[], view: View, x: number, y: number, reach: number): number | null {
  let [best, least] = [null as number | null, reach];
  handles.forEach((handle, at) => {
    const place = placeOf(handle, view);
    const away = Math.hypot(place.x - x, place.y - y);
    if (away < least || (away === least && best !== null)) [best, least] = [at, away];
  });
  return best;
}

/** Handles as squares, those between vertices as smaller dots; always of one size on the screen. */
export function drawHandles(ctx: CanvasRenderingContext2D, handles: readonly Handle[], view: View, active: number | null): void {
  ctx.lineWidth = 1;
  handles.forEach((handle, at) => {
    const place = placeOf(handle, view);
    const [x, y] = [Math.round(place.x), Math.round(place.y)];
    if (handle.what === "turn") drawStalk(ctx, handle.x * view.scale + view.dx, handle.y * view.scale + view.dy, place);
    const isActive = at === active;
    const half = handle.what === "middle" ? (isActive ? 4 : 2) : isActive ? 5 : 4;
    ctx.fillStyle = isActive ? "#101010" : "#ffffff";
    ctx.strokeStyle = isActive ? "#ffffff" : "#101010";
    ctx.globalAlpha = handle.what === "middle" && !isActive ? 0.75 : 1;
    ctx.beginPath();
    if (ROUND.has(handle.what)) ctx.arc(x, y, half, 0, 2 * Math.PI);
    else ctx.rect(x - half + 0.5, y - half + 0.5, 2 * half - 1, 2 * half - 1);
    ctx.fill();
    ctx.stroke();
  });
  ctx.globalAlpha = 1;
}

const ROUND: ReadonlySet<Handle["what"]> = new Set(["middle", "keypoint", "turn"]);

function drawStalk(ctx: CanvasRenderingContext2D, x: number, y: number, to: { x: number; y: number }): void {
  ctx.strokeStyle = "#ffffff";
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(to.x, to.y);
  ctx.stroke();
}

const RESIZE = ["ew-resize", "nwse-resize", "ns-resize", "nesw-resize"] as const;

/** The cursor that says what a handle does. */
export function cursorOf(handle: Handle | undefined): string {
  if (!handle) return "";
  if (handle.what === "turn") return "grab";
  if (handle.what !== "edge") return handle.what === "middle" ? "copy" : "move";
  const turn = Math.atan2(handle.down, handle.across) + (handle.angle ?? 0);
  return RESIZE[(((Math.round((4 * turn) / Math.PI) % 4) + 4) % 4) as 0 | 1 | 2 | 3];
}
