import type { Stroke } from "@/canvas/brush";
import type { View } from "@/canvas/geometry";

type Ctx = CanvasRenderingContext2D;

/** The brush at a place of the image, in its pixels. */
export type Brush = { x: number; y: number; radius: number; erase: boolean };

const [PAINT, ERASE] = ["rgb(255 255 255 / 55%)", "rgb(16 16 16 / 60%)"];

/** Where the hand went so far, as wide as the brush. */
export function drawStroke(ctx: Ctx, { points, radius, erase }: Stroke, { scale, dx, dy }: View): void {
  if (points.length < 2) return;
  ctx.save();
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.lineWidth = 2 * radius * scale;
  ctx.strokeStyle = erase ? ERASE : PAINT;
  ctx.beginPath();
  ctx.moveTo((points[0] as number) * scale + dx, (points[1] as number) * scale + dy);
  // A dab is a line of no length: the first point twice.
  for (let i = 0; i + 1 < points.length; i += 2) ctx.lineTo((points[i] as number) * scale + dx, (points[i + 1] as number) * scale + dy);
  ctx.stroke();
  ctx.restore();
}

/** The edge of the brush, seen on bright and on dark images; dashed where it erases. */
export function drawBrush(ctx: Ctx, { x, y, radius, erase }: Brush, { scale, dx, dy }: View): void {
  ctx.save();
  ctx.setLineDash(erase ? [4, 3] : []);
  for (const [colour, width] of [["rgb(0 0 0 / 60%)", 3], ["#ffffff", 1]] as const) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.arc(x * scale + dx, y * scale + dy, Math.max(2, radius * scale), 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.restore();
}
