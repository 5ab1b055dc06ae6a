import type { Annotation, Mask } from "@/api/schema.gen";
import { classColour, withAlpha } from "@/canvas/colours";
import { areaOf, boxOf, type View } from "@/canvas/geometry";
import { decode } from "@/canvas/rle";
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
};

type Ctx = CanvasRenderingContext2D;

/** Size a canvas for the screen's own pixels; drawing goes on in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): Ctx | null {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const ctx = canvas.getContext("2d");
  ctx?.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx?.clearRect(0, 0, width, height);
  return ctx;
}

/** Draw annotations over their image: large ones below, lines and points above them, the selected one on top. */
export function drawAnnotations(ctx: Ctx, annotations: readonly Annotation[], view: View, style: Style): void {
  const shown = annotations.filter((a) => !style.hidden.has(a.class_id));
  const sorted = [...shown].sort(
    (a, b) => Number(a.id === style.lit) - Number(b.id === style.lit) || Number(isFlat(a)) - Number(isFlat(b)) || areaOf(b) - areaOf(a),
  );
  ctx.lineJoin = "round";
  const isOneLit = shown.some((a) => a.id === style.lit && !isWhole(a));
  for (const a of sorted) {
    const lit = a.id === style.lit;
    ctx.globalAlpha = isOneLit && !lit ? 0.35 : 1;
    drawOne(ctx, a, view, style, lit);
  }
  ctx.globalAlpha = 1;
  if (style.labels) for (const a of sorted) if (!isOneLit || a.id === style.lit) drawLabel(ctx, a, view);
}

function drawOne(ctx: Ctx, a: Annotation, view: View, { line: usual, skeletons }: Style, lit: boolean): void {
  const colour = classColour(a.class_id);
  const box = boxOf(a);
  const extent = box ? Math.max(box.w, box.h) * view.scale : 0;
  const line = extent < 30 && !isFlat(a) ? 1 : usual; // small shapes would drown in their own outline
  if (a.mask) drawMask(ctx, a.mask, view, colour, lit);
  if (isFlat(a)) {
    drawFlat(ctx, a, view, colour, line, lit);
  } else if (a.rings.length) {
    const path = outlineOf(a, view);
    const isBox = a.kind === "rotated_box";
    ctx.fillStyle = withAlpha(colour, lit ? (isBox ? 0.2 : 0.36) : 0.2);
    if (lit || !isBox) ctx.fill(path, "evenodd");
    outline(ctx, path, colour, line, lit);
    const rect = isBox ? rectOf(a.rings[0]) : null;
    if (rect && rect.h * view.scale >= 14) outline(ctx, tickOf(rect, view), colour, line, false);
  } else if (a.bbox && !a.mask && a.keypoints.length === 0) {
    const path = boxPath(a.bbox, view, line);
    if (lit) {
      ctx.fillStyle = withAlpha(colour, 0.2);
      ctx.fill(path);
    }
    if (a.iscrowd) ctx.setLineDash([4, 3]);
    outline(ctx, path, colour, line, lit);
    ctx.setLineDash([]);
  }
  if (a.keypoints.length && (extent >= 64 || lit || !a.rings.length)) drawKeypoints(ctx, a, view, { skeletons, line }, colour, lit);
  // The box of the selected one, also where a finer shape is drawn: boxes that do not fit their shape are worth seeing.
  if (lit && a.bbox && !isFlat(a) && (a.rings.length || a.mask || a.keypoints.length)) {
    ctx.setLineDash([5, 4]);
    outline(ctx, boxPath(a.bbox, view, 1), colour, 1, false);
    ctx.setLineDash([]);
  }
}

function outline(ctx: Ctx, path: Path2D, colour: string, line: number, lit: boolean): void {
  ctx.strokeStyle = "rgb(0 0 0 / 38%)";
  ctx.lineWidth = line + (lit ? 4 : 2);
  ctx.stroke(path);
  ctx.strokeStyle = colour;
  ctx.lineWidth = line + (lit ? 2 : 0);
  ctx.stroke(path);
}

/** Lines, and points as dots that stay of one size. */
function drawFlat(ctx: Ctx, a: Annotation, view: View, colour: string, line: number, lit: boolean): void {
  if (a.kind === "polyline") outline(ctx, outlineOf(a, view), colour, line, lit);
  if (a.kind === "polyline" && !lit) return;
  const dots = dotsOf(a.rings, view, a.kind === "point" ? line + (lit ? 3 : 2) : 2.5);
  ctx.fillStyle = colour;
  ctx.fill(dots);
  ctx.strokeStyle = "rgb(0 0 0 / 60%)";
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

function drawKeypoints(ctx: Ctx, a: Annotation, view: View, style: Pick<Style, "skeletons" | "line">, colour: string, lit: boolean): void {
  const points: ({ x: number; y: number; seen: boolean } | null)[] = [];
  for (let i = 0; i + 2 < a.keypoints.length; i += 3) {
    const visible = a.keypoints[i + 2] ?? 0;
    const place = { x: (a.keypoints[i] ?? 0) * view.scale + view.dx, y: (a.keypoints[i + 1] ?? 0) * view.scale + view.dy };
    points.push(visible ? { ...place, seen: visible > 1 } : null);
  }
  const bones = new Path2D();
  for (const [from, to] of style.skeletons.get(a.class_id) ?? []) {
    const [p, q] = [points[from], points[to]];
    if (!p || !q) continue;
    bones.moveTo(p.x, p.y);
    bones.lineTo(q.x, q.y);
  }
  outline(ctx, bones, colour, Math.min(style.line, 1.5), lit);
  const body = (a.bbox?.[3] ?? 100) * view.scale;
  const radius = Math.min(style.line * 1.7 + (lit ? 1 : 0), Math.max(0.8, body / 22));
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

const painted = new WeakMap<Mask, { canvas: HTMLCanvasElement; x: number; y: number } | null>();

function drawMask(ctx: Ctx, mask: Mask, view: View, colour: string, lit: boolean): void {
  let kept = painted.get(mask);
  if (kept === undefined) {
    kept = paint(mask, colour);
    painted.set(mask, kept);
  }
  if (!kept) return;
  const before = ctx.globalAlpha;
  ctx.globalAlpha = before * (lit ? 1 : 0.85);
  ctx.imageSmoothingEnabled = view.scale < 1;
  const { canvas, x, y } = kept;
  ctx.drawImage(canvas, x * view.scale + view.dx, y * view.scale + view.dy, canvas.width * view.scale, canvas.height * view.scale);
  ctx.globalAlpha = before;
}

function paint(mask: Mask, colour: string): { canvas: HTMLCanvasElement; x: number; y: number } | null {
  const bitmap = decode(mask);
  if (!bitmap) return null;
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const ctx = canvas.getContext("2d");
  if (!ctx) return null;
  const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const image = ctx.createImageData(bitmap.width, bitmap.height);
  const { width, height, bits } = bitmap;
  const edge = Math.max(1, Math.round(Math.max(width, height) / 160));
  const isIn = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && bits[y * width + x] === 1;
  bits.forEach((bit, at) => {
    if (!bit) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    const isInner = isIn(x - edge, y) && isIn(x + edge, y) && isIn(x, y - edge) && isIn(x, y + edge);
    image.data.set([rgb[0] ?? 0, rgb[1] ?? 0, rgb[2] ?? 0, isInner ? 95 : 255], at * 4);
  });
  ctx.putImageData(image, 0, 0);
  return { canvas, x: bitmap.x, y: bitmap.y };
}

function drawLabel(ctx: Ctx, a: Annotation, view: View): void {
  const box = boxOf(a);
  if (!box || (box.w * view.scale < 22 && !isFlat(a))) return;
  const text = [a.class, a.score?.toFixed(2), a.text?.slice(0, LONGEST_TEXT)].filter(Boolean).join(" ");
  ctx.font = '500 11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
  const width = ctx.measureText(text).width + 8;
  const x = Math.round(box.x * view.scale + view.dx);
  const y = Math.round(Math.max(box.y * view.scale + view.dy - 16, 0));
  ctx.fillStyle = classColour(a.class_id);
  ctx.fillRect(x, y, width, 15);
  ctx.fillStyle = "#101010";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 4, y + 8);
}
