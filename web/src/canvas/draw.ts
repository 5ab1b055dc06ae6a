import type { Annotation, Mask } from "@/api/schema.gen";
import type { ColourOf } from "@/canvas/colour_by";
import { classColour, withAlpha } from "@/canvas/colours";
import { areaOf, boxOf, type Box, type View } from "@/canvas/geometry";
import { paintedMask } from "@/canvas/masks";
import { dotsOf, isFlat, isWhole, outlineOf, rectOf, tickOf } from "@/canvas/shapes";

export type Skeletons = ReadonlyMap<number, readonly (readonly [number, number])[]>;

export type Style = {
  hidden: ReadonlySet<number>;
  skeletons: Skeletons;
  /** Width of lines in whole screen pixels. */
  line: number;
  /** The selected annotation: stronger, the others step back. */
  lit?: string | null;
  labels?: boolean;
  /** By class where it is absent. */
  colourOf?: ColourOf | undefined;
  /** Which pattern of `DASHES` an annotation is drawn with; absent where all lines are solid. */
  dashOf?: ((a: Annotation) => number) | undefined;
  /** Among many shapes: lines of one pixel without a dark edge, which are drawn several times faster. */
  crowded?: boolean;
  /** Large masks may come later; who sets this listens to `onMaskReady`. */
  later?: boolean;
};

type Ctx = CanvasRenderingContext2D;

/** Lines of label sets that are drawn together, in pixels of the screen: the first is solid. */
export const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2]];

/** Size a canvas for the screen's own pixels; drawing goes on in CSS pixels. What is drawn stays where the size is the same. */
export function sized(canvas: HTMLCanvasElement, width: number, height: number, options?: CanvasRenderingContext2DSettings): Ctx | null {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const ctx = canvas.getContext("2d", options) as Ctx | null;
  ctx?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

/** Size a canvas for the screen's own pixels and clear it; drawing goes on in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number, options?: CanvasRenderingContext2DSettings): Ctx | null {
  const ctx = sized(canvas, width, height, options);
  ctx?.clearRect(0, 0, width, height);
  return ctx;
}

/** Draw annotations over their image: large ones below, lines and points above them, the selected one on top. */
export function drawAnnotations(ctx: Ctx, annotations: readonly Annotation[], view: View, style: Style): void {
  const shown = annotations.filter((a) => !style.hidden.has(a.class_id));
  const sorted = [...shown].sort(
    (a, b) => Number(a.id === style.lit) - Number(b.id === style.lit) || Number(isFlat(a)) - Number(isFlat(b)) || areaOf(b) - areaOf(a),
  );
  const isOneLit = shown.some((a) => a.id === style.lit && !isWhole(a));
  for (const a of sorted) {
    const lit = a.id === style.lit;
    ctx.globalAlpha = isOneLit && !lit ? 0.35 : 1;
    drawOne(ctx, a, view, style, lit);
  }
  ctx.globalAlpha = 1;
  if (style.labels) for (const a of sorted) if (!isOneLit || a.id === style.lit) drawLabel(ctx, a, view, style.colourOf);
}

/** Below this size on the screen a shape is a dot of its colour; below `PLAIN` it has no dark edge, which costs most of the time. */
const [DOT, PLAIN] = [2.5, 24];
/** A line of one pixel. Lines up to one pixel are drawn by a way that is many times faster, and rounding must not miss it. */
const HAIR = 0.999;
const SOLID: readonly number[] = [];
const CROWD: readonly number[] = [4, 3];

/** Draw one annotation. */
export function drawOne(ctx: Ctx, a: Annotation, view: View, style: Style, lit: boolean): void {
  const colour = style.colourOf?.(a) ?? classColour(a.class_id);
  const box = boxOf(a);
  const extent = box ? Math.max(box.w, box.h) * view.scale : 0;
  if (box && extent < DOT && !lit && !isFlat(a) && box.w * box.h > 0) return drawDot(ctx, box, view, colour);
  const isCrowded = style.crowded === true && !lit;
  const line = isCrowded || (extent < 30 && !isFlat(a)) ? 1 : style.line; // small shapes would drown in their own outline
  const dash = (style.dashOf && DASHES[style.dashOf(a) % DASHES.length]) ?? SOLID;
  const look: Look = { colour, line, lit, plain: isCrowded || (extent < PLAIN && !isFlat(a)), dash };
  ctx.lineJoin = "round";
  if (a.mask) {
    // Masks have no line to be dashed: those of another set are fainter.
    const before = ctx.globalAlpha;
    if (dash.length && !lit) ctx.globalAlpha = 0.55 * before;
    drawMask(ctx, a.mask, view, colour, lit, style.later ?? false);
    ctx.globalAlpha = before;
  }
  if (isFlat(a)) {
    drawFlat(ctx, a, view, look);
  } else if (a.rings.length) {
    drawRings(ctx, a, view, look);
  } else if (a.bbox && !a.mask && a.keypoints.length === 0) {
    const path = boxPath(a.bbox, view, line);
    if (lit) {
      ctx.fillStyle = withAlpha(colour, 0.2);
      ctx.fill(path);
    }
    outline(ctx, path, a.iscrowd ? { ...look, dash: CROWD } : look);
  }
  if (a.keypoints.length && (extent >= 64 || lit || !a.rings.length)) drawKeypoints(ctx, a, view, style.skeletons, look);
  // The box of the selected one, also where a finer shape is drawn: boxes that do not fit their shape are worth seeing.
  if (lit && a.bbox && !isFlat(a) && (a.rings.length || a.mask || a.keypoints.length)) {
    outline(ctx, boxPath(a.bbox, view, 1), { ...look, line: 1, lit: false, dash: [5, 4] });
  }
}

type Look = { colour: string; line: number; lit: boolean; /** Without the dark edge. */ plain: boolean; dash: readonly number[] };

function drawDot(ctx: Ctx, box: Box, { scale, dx, dy }: View, colour: string): void {
  ctx.fillStyle = colour;
  ctx.fillRect(box.x * scale + dx, box.y * scale + dy, Math.max(1, box.w * scale), Math.max(1, box.h * scale));
}

/** A closed shape, from its kept outline in image pixels. */
function drawRings(ctx: Ctx, a: Annotation, view: View, look: Look): void {
  const isBox = a.kind === "rotated_box";
  inImage(ctx, view, () => {
    const path = outlineOf(a, view.scale);
    ctx.fillStyle = withAlpha(look.colour, look.lit ? (isBox ? 0.2 : 0.36) : 0.2);
    if (look.lit || !isBox) ctx.fill(path, "evenodd");
    outline(ctx, path, look, view.scale);
    const rect = isBox ? rectOf(a.rings[0]) : null;
    if (rect && rect.h * view.scale >= 14) outline(ctx, tickOf(rect), { ...look, lit: false }, view.scale);
  });
}

/** Draw in image pixels. */
function inImage(ctx: Ctx, { scale, dx, dy }: View, draw: () => void): void {
  ctx.save();
  ctx.translate(dx, dy);
  ctx.scale(scale, scale);
  draw();
  ctx.restore();
}

/** A line that is seen on bright and on dark images; `scale` where the path is in image pixels. */
function outline(ctx: Ctx, path: Path2D, { colour, line, lit, plain, dash }: Look, scale = 1): void {
  if (dash.length) ctx.setLineDash(dash.map((length) => length / scale));
  if (!plain || lit) {
    ctx.strokeStyle = "rgb(0 0 0 / 38%)";
    ctx.lineWidth = (line + (lit ? 4 : 2)) / scale;
    ctx.stroke(path);
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = (lit ? line + 2 : line === 1 ? HAIR : line) / scale;
  ctx.stroke(path);
  if (dash.length) ctx.setLineDash([]);
}

/** Lines, and points as dots that stay of one size. */
function drawFlat(ctx: Ctx, a: Annotation, view: View, look: Look): void {
  if (a.kind === "polyline") inImage(ctx, view, () => outline(ctx, outlineOf(a, view.scale), look, view.scale));
  if (a.kind === "polyline" && !look.lit) return;
  const dots = dotsOf(a.rings, view, a.kind === "point" ? look.line + (look.lit ? 3 : 2) : 2.5);
  const isHollow = look.dash.length > 0 && !look.lit;
  ctx.fillStyle = isHollow ? "rgb(0 0 0 / 60%)" : look.colour;
  ctx.fill(dots);
  ctx.strokeStyle = isHollow ? look.colour : "rgb(0 0 0 / 60%)";
  ctx.lineWidth = 1;
  ctx.stroke(dots);
}

function boxPath([x, y, w, h]: readonly [number, number, number, number], { scale, dx, dy }: View, line: number): Path2D {
  // Odd lines on half pixels, even ones between pixels: so that they are as wide as they should be.
  const crisp = (n: number) => Math.round(n) + (line % 2) / 2;
  const [left, top] = [crisp(x * scale + dx), crisp(y * scale + dy)];
  const path = new Path2D();
  path.rect(left, top, crisp((x + w) * scale + dx) - left, crisp((y + h) * scale + dy) - top);
  return path;
}

function drawKeypoints(ctx: Ctx, a: Annotation, view: View, skeletons: Skeletons, { colour, line, lit, plain, dash }: Look): void {
  const points: ({ x: number; y: number; seen: boolean } | null)[] = [];
  for (let i = 0; i + 2 < a.keypoints.length; i += 3) {
    const visible = a.keypoints[i + 2] ?? 0;
    const place = { x: (a.keypoints[i] ?? 0) * view.scale + view.dx, y: (a.keypoints[i + 1] ?? 0) * view.scale + view.dy };
    points.push(visible ? { ...place, seen: visible > 1 } : null);
  }
  const bones = new Path2D();
  for (const [from, to] of skeletons.get(a.class_id) ?? []) {
    const [p, q] = [points[from], points[to]];
    if (!p || !q) continue;
    bones.moveTo(p.x, p.y);
    bones.lineTo(q.x, q.y);
  }
  outline(ctx, bones, { colour, line: Math.min(line, 1.5), lit, plain, dash });
  const body = (a.bbox?.[3] ?? 100) * view.scale;
  const radius = Math.min(line * 1.7 + (lit ? 1 : 0), Math.max(0.8, body / 22));
  for (const point of points) {
    if (!point) continue;
    ctx.beginPath();
    ctx.arc(point.x, point.y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = point.seen ? colour : "rgb(0 0 0 / 60%)";
    ctx.fill();
    if (radius > 1.6) {
      ctx.strokeStyle = point.seen ? "rgb(0 0 0 / 55%)" : colour;
      ctx.lineWidth = 1;
      ctx.stroke();
    }
  }
}

const LONGEST_TEXT = 30;

function drawMask(ctx: Ctx, mask: Mask, view: View, colour: string, lit: boolean, later: boolean): void {
  const painted = paintedMask(mask, colour, later);
  if (!painted) return;
  const before = ctx.globalAlpha;
  ctx.globalAlpha = before * (lit ? 1 : 0.85);
  ctx.imageSmoothingEnabled = view.scale < 1;
  const { canvas, x, y } = painted;
  ctx.drawImage(canvas, x * view.scale + view.dx, y * view.scale + view.dy, canvas.width * view.scale, canvas.height * view.scale);
  ctx.globalAlpha = before;
}

/** The class of an annotation, its score and its text, above its box. */
export function drawLabel(ctx: Ctx, a: Annotation, view: View, colourOf?: ColourOf): void {
  const box = boxOf(a);
  if (!box || (box.w * view.scale < 22 && !isFlat(a))) return;
  const text = [a.class, a.score?.toFixed(2), a.text?.slice(0, LONGEST_TEXT)].filter(Boolean).join(" ");
  ctx.font = '500 11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
  const width = ctx.measureText(text).width + 8;
  const x = Math.round(box.x * view.scale + view.dx);
  const y = Math.round(Math.max(box.y * view.scale + view.dy - 16, 0));
  ctx.fillStyle = colourOf?.(a) ?? classColour(a.class_id);
  ctx.fillRect(x, y, width, 15);
  ctx.fillStyle = "#101010";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 4, y + 8);
}
