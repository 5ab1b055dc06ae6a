import type { Annotation, ComparedSample } from "@/api/schema.gen";
import { boxOf, type Box, type View } from "@/canvas/geometry";

/** What is drawn of one state: what differs, in the colour of its side, and the rest as thin lines. */
export type Shown = { annotation: Annotation; differs: boolean };
export type Side = "before" | "after";

type Ctx = CanvasRenderingContext2D;

/** The annotations of one side, those that differ last. */
export function shownOf(sample: ComparedSample, side: Side): Shown[] {
  const changed = new Set(sample.changes.map((change) => `${change.label_set} ${change.id}`));
  const all = Object.entries(sample[side]?.label_sets ?? {}).flatMap(([set, annotations]) =>
    annotations.map((annotation) => ({ annotation, differs: changed.has(`${set} ${annotation.id}`) })),
  );
  return all.sort((a, b) => Number(a.differs) - Number(b.differs));
}

/** The box around everything that differs, on both sides; null where nothing has a place. */
export function placeOf(sample: ComparedSample, only?: string): Box | null {
  const boxes = (["before", "after"] as const).flatMap((side) =>
    shownOf(sample, side).flatMap(({ annotation, differs }) => (differs && (!only || annotation.id === only) ? [boxOf(annotation)] : [])),
  ).filter((box) => box !== null);
  if (boxes.length === 0) return null;
  const [x, y] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
  const right = Math.max(...boxes.map((box) => box.x + box.w));
  const bottom = Math.max(...boxes.map((box) => box.y + box.h));
  return { x, y, w: right - x, h: bottom - y };
}

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name) || "#888";

/** Draw one side: dashed lines for before, whole ones for after, so that they differ by more than colour. */
export function drawSide(ctx: Ctx, shapes: readonly Shown[], view: View, side: Side, rest: boolean): void {
  const colour = token(side === "before" ? "--bad" : "--good");
  ctx.lineJoin = "round";
  for (const { annotation, differs } of shapes) {
    if (!differs && !rest) continue;
    const path = pathOf(annotation, view);
    if (differs) {
      line(ctx, path, "rgba(0, 0, 0, 0.55)", 4, side);
      line(ctx, path, colour, 2, side);
      name(ctx, annotation, view, side, colour);
    } else {
      line(ctx, path, "rgba(255, 255, 255, 0.55)", 1, "after");
    }
  }
}

function line(ctx: Ctx, path: Path2D, colour: string, width: number, side: Side): void {
  ctx.setLineDash(side === "before" ? [6, 4] : []);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke(path);
  ctx.setLineDash([]);
}

/** The outline of an annotation on the screen; a mask and a text stand in their box. */
function pathOf(a: Annotation, { scale, dx, dy }: View): Path2D {
  const path = new Path2D();
  const isOpen = a.kind === "polyline" || a.kind === "point";
  for (const ring of a.rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      const [x, y] = [(ring[i] ?? 0) * scale + dx, (ring[i + 1] ?? 0) * scale + dy];
      if (a.kind === "point") path.roundRect(x - 3, y - 3, 6, 6, 3);
      else if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    if (!isOpen) path.closePath();
  }
  for (let i = 0; i + 2 < a.keypoints.length; i += 3) {
    if (a.keypoints[i + 2]) path.roundRect((a.keypoints[i] ?? 0) * scale + dx - 3, (a.keypoints[i + 1] ?? 0) * scale + dy - 3, 6, 6, 3);
  }
  const box = a.rings.length ? null : boxOf(a);
  if (box) path.rect(box.x * scale + dx, box.y * scale + dy, box.w * scale, box.h * scale);
  return path;
}

/** The class: above the shape for before, below it for after, so that both can be read in one image. */
function name(ctx: Ctx, a: Annotation, view: View, side: Side, colour: string): void {
  const box = boxOf(a);
  ctx.font = "600 11px system-ui, sans-serif";
  const width = ctx.measureText(a.class).width + 8;
  const x = box ? box.x * view.scale + view.dx : 8;
  const top = box ? box.y * view.scale + view.dy - 17 : 8;
  const y = Math.max(2, side === "before" ? top : box ? (box.y + box.h) * view.scale + view.dy + 2 : 28);
  ctx.fillStyle = "rgba(10, 12, 14, 0.82)";
  ctx.fillRect(x, y, width, 15);
  ctx.fillStyle = colour;
  ctx.fillRect(x, y, 2, 15);
  ctx.fillStyle = "#fff";
  ctx.fillText(a.class, x + 5, y + 11);
}
