import type { Box, View } from "@/canvas/geometry";
import type { Corners } from "@/canvas/tree";

/** The size of the place that is drawn on, in CSS pixels, and how many pixels of the screen one of them has. */
export type Size = { width: number; height: number; ratio: number };

/** Drawings reach this far over each edge of their place, so that most moves need nothing but moving them. */
export const MARGIN = 128;

/** A zoom that has been still for so long is drawn sharp. */
export const SETTLED_MS = 60;

export const withMargin = ({ width, height, ratio }: Size): Size => ({ width: width + 2 * MARGIN, height: height + 2 * MARGIN, ratio });
export const shifted = ({ scale, dx, dy }: View): View => ({ scale, dx: dx + MARGIN, dy: dy + MARGIN });
/** Whether a drawing made at one view still fills the place at another of the same scale. */
export const fills = (drawn: View, view: View): boolean =>
  drawn.scale === view.scale && Math.abs(view.dx - drawn.dx) <= MARGIN && Math.abs(view.dy - drawn.dy) <= MARGIN;

/** A view on whole pixels of the screen, so that what is drawn once can be moved without being blurred. */
export function snapped(view: View, ratio: number): View {
  const whole = (n: number) => Math.round(n * ratio) / ratio;
  return { scale: view.scale, dx: whole(view.dx), dy: whole(view.dy) };
}

/** The part of the image that a part of the screen shows, with room around it in screen pixels. */
export function imagePart(view: View, part: Box, room: { x: number; y: number }): Corners {
  const { scale, dx, dy } = view;
  return [
    (part.x - room.x - dx) / scale, (part.y - room.y - dy) / scale,
    (part.x + part.w + room.x - dx) / scale, (part.y + part.h + room.y - dy) / scale,
  ];
}

/** What a move by (dx, dy) uncovers of a place: at most two strips. */
export function uncovered({ width, height }: Size, dx: number, dy: number): Box[] {
  const strips: Box[] = [];
  if (dy !== 0) strips.push({ x: 0, y: dy > 0 ? 0 : height + dy, w: width, h: Math.abs(dy) });
  if (dx !== 0) strips.push({ x: dx > 0 ? 0 : width + dx, y: Math.max(0, dy), w: Math.abs(dx), h: height - Math.abs(dy) });
  return strips;
}

/** Whether a drawing made at one view has all of the image that another view shows. */
export function covers(drawn: View, view: View, size: Size, image: { width: number; height: number }): boolean {
  const shownAt = (v: View): Corners => {
    const [x0, y0, x1, y1] = imagePart(v, { x: 0, y: 0, w: size.width, h: size.height }, { x: 0, y: 0 });
    return [Math.max(0, x0), Math.max(0, y0), Math.min(image.width, x1), Math.min(image.height, y1)];
  };
  const [have, need] = [shownAt(drawn), shownAt(view)];
  const slack = 1 / view.scale;
  return have[0] <= need[0] + slack && have[1] <= need[1] + slack && have[2] >= need[2] - slack && have[3] >= need[3] - slack;
}

/** Show a drawing that was made at one view as it looks from another; nothing is drawn for it. */
export function place(canvas: HTMLCanvasElement, drawn: View, view: View): void {
  const by = view.scale / drawn.scale;
  const [x, y] = [view.dx - drawn.dx * by, view.dy - drawn.dy * by];
  canvas.style.transform = by === 1 && x === 0 && y === 0 ? "" : `matrix(${by}, 0, 0, ${by}, ${x}, ${y})`;
}

/** A place for drawings with a margin. */
export function marginLayer(parent: HTMLElement): HTMLElement {
  const element = document.createElement("div");
  element.className = "margin-layer";
  element.style.inset = `${-MARGIN}px`;
  parent.append(element);
  return element;
}

/** A canvas that fills its parent. */
export function layer(parent: HTMLElement, name: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  canvas.dataset["layer"] = name;
  parent.append(canvas);
  return canvas;
}

export function resize(canvas: HTMLCanvasElement, { width, height, ratio }: Size): void {
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}
