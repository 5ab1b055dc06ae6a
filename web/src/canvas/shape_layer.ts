import { prepare, drawLabel, drawOne, type Style } from "@/canvas/draw";
import type { Box, View } from "@/canvas/geometry";
import { covers, fills, imagePart, layer, place, resize, SETTLED_MS, uncovered, type Size } from "@/canvas/raster";
import { Scene, type Item } from "@/canvas/scene";
import type { Corners } from "@/canvas/tree";

/** What can be drawn again in every frame: about that many points of outlines. */
const LIGHT = 6000;
/** Milliseconds of a frame for drawing: while someone moves the image, and once it is still. */
const [BUSY_MS, STILL_MS] = [5, 11];
/** More changed annotations than this draw everything again. */
const FEW = 24;
/** Pixels are kept where the processor draws: it can be cut into slices, and each slice is done when it says so. */
const OPTIONS = { willReadFrequently: true };

const contextOf = (canvas: HTMLCanvasElement): CanvasRenderingContext2D | null => canvas.getContext("2d", OPTIONS) as CanvasRenderingContext2D | null;

type Job = { view: View; items: readonly Item[]; at: number; labels: number };

/**
 * The drawing of all shapes. A few are drawn again in every frame. Many are drawn in slices on a second canvas, while the
 * last drawing is shown moved and scaled; a move at one scale draws only the strips that it uncovers.
 */
export class ShapeLayer {
  private size: Size = { width: 0, height: 0, ratio: 1 };
  private scene = new Scene([]);
  private style: Style = { hidden: new Set(), skeletons: new Map(), line: 2 };
  private image = { width: 1, height: 1 };
  private front: HTMLCanvasElement;
  private back: HTMLCanvasElement;
  /** The whole image with all shapes, for zooming out of a part. */
  private readonly base: HTMLCanvasElement;
  private drawnAt: View | null = null;
  private baseAt: View | null = null;
  private stale = true;
  private job: Job | null = null;
  private scale = 0;
  private scaledAt = 0;

  constructor(parent: HTMLElement) {
    this.base = layer(parent, "shapes-whole");
    this.back = layer(parent, "shapes-next");
    this.front = layer(parent, "shapes");
  }

  resize(size: Size): void {
    this.size = size;
    for (const canvas of [this.front, this.back, this.base]) resize(canvas, size);
    this.forget();
  }

  /** Other annotations of the same image: only what differs is drawn again, if that is little. */
  setScene(scene: Scene): void {
    const parts = this.drawnAt && !this.stale && !this.job ? scene.changesFrom(this.scene, FEW) : null;
    this.scene = scene;
    this.baseAt = null;
    if (!parts) return this.invalidate();
    for (const part of parts) this.repaint(part);
  }

  setStyle(style: Style): void {
    this.style = style;
    this.baseAt = null;
    this.invalidate();
  }

  /** Another image: nothing that is drawn may be shown again. */
  setImage(image: { width: number; height: number }): void {
    this.image = image;
    this.forget();
  }

  invalidate(): void {
    this.stale = true;
    this.job = null;
  }

  /** Show the shapes as they look from a view. Whether more is to be done in the next frame. */
  follow(view: View, now: number): boolean {
    if (view.scale !== this.scale) {
      [this.scale, this.scaledAt] = [view.scale, now];
      this.job = null;
    }
    const whole = { x: 0, y: 0, w: this.size.width, h: this.size.height };
    const isDrawn = this.drawnAt !== null && !this.stale;
    if (isDrawn && this.drawnAt?.scale === view.scale && this.scroll(view)) return false;
    if (isDrawn && this.scene.weight > LIGHT && this.isPassing(view, now)) {
      this.showAt(view);
      return true;
    }
    const items = this.job ? [] : this.inPart(view, whole);
    if (!this.job && weight(items, view) <= LIGHT) {
      this.paintAll(view, items);
      return false;
    }
    this.showAt(view);
    if (!this.job && isDrawn && now - this.scaledAt < SETTLED_MS) return true;
    this.job ??= this.begin(view, items);
    const still = now - this.scaledAt > 200;
    if (!this.slice(this.job, still ? STILL_MS : BUSY_MS)) return true;
    this.finish(this.job);
    return !this.scroll(view); // the image may have been moved while it was drawn
  }

  /** In the middle of a zoom, and what is drawn still looks like it. */
  private isPassing(view: View, now: number): boolean {
    const by = view.scale / (this.drawnAt?.scale ?? view.scale);
    return now - this.scaledAt < SETTLED_MS && by < 2 && by > 0.5 && covers(this.drawnAt ?? view, view, this.size, this.image);
  }

  private forget(): void {
    this.drawnAt = this.baseAt = null;
    this.front.style.visibility = this.base.style.visibility = this.back.style.visibility = "hidden";
    this.invalidate();
  }

  private inPart(view: View, part: Box): Item[] {
    // Outlines and dots reach over their shapes, names stand above and to the right of them.
    const room = this.style.labels ? { x: 260, y: 24 } : { x: 8, y: 8 };
    return this.scene.within(imagePart(view, part, room)).filter(({ a }) => !this.style.hidden.has(a.class_id));
  }

  private paintAll(view: View, items: readonly Item[]): void {
    const ctx = prepare(this.front, this.size.width, this.size.height, OPTIONS);
    if (ctx) this.draw(ctx, view, items);
    this.done(view);
  }

  private draw(ctx: CanvasRenderingContext2D, view: View, items: readonly Item[]): void {
    const style = this.styleAt(view.scale);
    for (const { a } of items) drawOne(ctx, a, view, style, false);
    if (this.style.labels) for (const { a } of items) drawLabel(ctx, a, view, this.style.colourOf);
  }

  /** Many shapes in sight are drawn plainly: the same at one scale wherever one looks, so that strips fit together. */
  private styleAt(scale: number): Style {
    const shown = Math.min(1, (this.size.width * this.size.height) / (this.image.width * this.image.height * scale * scale));
    return this.scene.weight * shown > LIGHT ? { ...this.style, crowded: true } : this.style;
  }

  private begin(view: View, items: readonly Item[]): Job {
    prepare(this.back, this.size.width, this.size.height, OPTIONS);
    return { view, items, at: 0, labels: this.style.labels ? 0 : items.length };
  }

  /** Draw for some milliseconds; whether everything is drawn. */
  private slice(job: Job, most: number): boolean {
    const ctx = contextOf(this.back);
    if (!ctx) return true;
    const style = this.styleAt(job.view.scale);
    const start = performance.now();
    while (job.labels < job.items.length || job.at < job.items.length) {
      for (let n = 0; n < 24; n += 1) {
        const item = job.items[job.at];
        const named = job.items[job.labels];
        if (item) drawOne(ctx, item.a, job.view, style, false);
        else if (named) drawLabel(ctx, named.a, job.view, this.style.colourOf);
        job[item ? "at" : "labels"] += 1;
      }
      ctx.getImageData(0, 0, 1, 1); // what was asked for is now drawn, and its time counted
      if (performance.now() - start > most) break;
    }
    return job.at >= job.items.length && job.labels >= job.items.length;
  }

  private finish(job: Job): void {
    [this.front, this.back] = [this.back, this.front];
    this.front.dataset["layer"] = "shapes";
    this.back.dataset["layer"] = "shapes-next";
    this.job = null;
    this.done(job.view);
  }

  private done(view: View): void {
    this.drawnAt = view;
    this.stale = false;
    if (!this.baseAt && covers(view, { scale: 1e-3, dx: 0, dy: 0 }, this.size, this.image)) this.keepBase(view);
    this.showAt(view);
  }

  private keepBase(view: View): void {
    const ctx = prepare(this.base, this.size.width, this.size.height);
    ctx?.drawImage(this.front, 0, 0, this.size.width, this.size.height);
    this.baseAt = view;
  }

  /** Show the drawing that has most of what the view shows. */
  private showAt(view: View): void {
    const useBase = this.drawnAt && this.baseAt && !fills(this.drawnAt, view) && !covers(this.drawnAt, view, this.size, this.image);
    const [shown, at] = useBase ? [this.base, this.baseAt] : [this.front, this.drawnAt];
    for (const canvas of [this.front, this.back, this.base]) canvas.style.visibility = canvas === shown && at ? "visible" : "hidden";
    if (at) place(shown, at, view);
  }

  /** Move the drawing and draw the strips that this uncovers; false if little of it would stay. */
  private scroll(view: View): boolean {
    const { width, height, ratio } = this.size;
    const before = this.drawnAt as View;
    const [dx, dy] = [view.dx - before.dx, view.dy - before.dy];
    if (fills(before, view)) {
      this.showAt(view);
      return true;
    }
    if (Math.abs(dx) > 0.5 * width || Math.abs(dy) > 0.5 * height) return false;
    const ctx = contextOf(this.front);
    if (!ctx) return true;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalCompositeOperation = "copy";
    ctx.drawImage(this.front, Math.round(dx * ratio), Math.round(dy * ratio));
    ctx.globalCompositeOperation = "source-over";
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawnAt = view;
    for (const strip of uncovered(this.size, dx, dy)) this.paintPart(ctx, view, strip);
    this.showAt(view);
    return true;
  }

  /** Draw a part of the image again where it is shown. */
  private repaint([x0, y0, x1, y1]: Corners): void {
    const [view, ctx] = [this.drawnAt, contextOf(this.front)];
    if (!view || !ctx) return;
    const { scale, dx, dy } = view;
    const room = this.style.labels ? { x: 260, y: 24 } : { x: 8, y: 8 };
    const [left, top] = [Math.floor(Math.max(0, x0 * scale + dx - room.x)), Math.floor(Math.max(0, y0 * scale + dy - room.y))];
    const [right, bottom] = [Math.min(this.size.width, Math.ceil(x1 * scale + dx + room.x)), Math.min(this.size.height, Math.ceil(y1 * scale + dy + room.y))];
    if (right > left && bottom > top) this.paintPart(ctx, view, { x: left, y: top, w: right - left, h: bottom - top });
  }

  private paintPart(ctx: CanvasRenderingContext2D, view: View, part: Box): void {
    ctx.save();
    ctx.beginPath();
    ctx.rect(part.x, part.y, part.w, part.h);
    ctx.clip();
    ctx.clearRect(part.x, part.y, part.w, part.h);
    this.draw(ctx, view, this.inPart(view, part));
    ctx.restore();
  }
}

/** What drawing these costs: points of outlines, and for masks their area on the screen. */
function weight(items: readonly Item[], { scale }: View): number {
  let sum = 0;
  for (const { a, vertices, box } of items) {
    sum += 12 + vertices + (a.mask ? (box.w * box.h * scale * scale) / 400 : 0);
    if (sum > LIGHT) break;
  }
  return sum;
}
