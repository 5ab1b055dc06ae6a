import { prepare } from "@/canvas/draw";
import type { View } from "@/canvas/geometry";
import { covers, fills, layer, marginLayer, place, resize, SETTLED_MS, type Size } from "@/canvas/raster";

type Level = { source: CanvasImageSource; scale: number };

/** Longest side of the smallest copy that is made of an image. */
const SMALLEST = 512;

/** The image below the shapes. Copies of half, a quarter... of its size make every zoom cost what the screen has pixels. */
export class ImageLayer {
  private readonly canvas: HTMLCanvasElement;
  private size: Size = { width: 0, height: 0, ratio: 1 };
  private levels: Level[] = [];
  private image: HTMLImageElement | null = null;
  private drawn = "";
  private drawnAt: View | null = null;
  private scale = 0;
  private scaledAt = 0;

  constructor(parent: HTMLElement, private readonly onMore: () => void) {
    this.canvas = layer(marginLayer(parent), "image");
  }

  resize(size: Size): void {
    this.size = size;
    resize(this.canvas, size);
    this.drawn = "";
  }

  setImage(image: HTMLImageElement | null): void {
    if (image === this.image) return;
    this.image = image;
    this.levels = image ? [{ source: image, scale: 1 }] : [];
    this.drawn = "";
    if (image) void this.shrink(image);
  }

  /** Show the image as it looks from a view. Whether it is to be drawn sharp in a later frame. */
  follow(view: View, image: { width: number; height: number }, now: number): boolean {
    if (view.scale !== this.scale) [this.scale, this.scaledAt] = [view.scale, now];
    const key = `${image.width} ${image.height} ${this.levels.length}`;
    const drawn = key === this.drawn ? this.drawnAt : null;
    const isZooming = drawn !== null && drawn.scale !== view.scale && now - this.scaledAt < SETTLED_MS;
    const by = drawn ? view.scale / drawn.scale : 0;
    if (drawn && (isZooming ? by < 2 && by > 0.5 && covers(drawn, view, this.size, image) : fills(drawn, view))) {
      place(this.canvas, drawn, view);
      return isZooming;
    }
    this.drawn = key;
    this.drawnAt = view;
    this.draw(view, image.width, image.height);
    return false;
  }

  private draw(view: View, width: number, height: number): void {
    const { scale, dx, dy } = view;
    place(this.canvas, view, view);
    const ctx = prepare(this.canvas, this.size.width, this.size.height);
    const onScreen = scale * this.size.ratio;
    // The smallest copy that has a pixel for each pixel of the screen.
    const from = this.levels.findLast((level) => level.scale >= onScreen) ?? this.levels[0];
    if (!ctx || !from) return;
    ctx.imageSmoothingEnabled = onScreen < 2.5 && onScreen !== 1;
    ctx.imageSmoothingQuality = from.scale / onScreen > 2.1 ? "medium" : "low";
    ctx.drawImage(from.source, dx, dy, width * scale, height * scale);
  }

  private async shrink(image: HTMLImageElement): Promise<void> {
    if (typeof createImageBitmap === "undefined") return;
    let source: CanvasImageSource = image;
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    for (let scale = 0.5; Math.max(width, height) * scale >= SMALLEST; scale /= 2) {
      const [resizeWidth, resizeHeight] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
      const bitmap: ImageBitmap | null = await createImageBitmap(source, { resizeWidth, resizeHeight, resizeQuality: "medium" }).catch(() => null);
      if (!bitmap || this.image !== image) return bitmap?.close();
      this.levels = [...this.levels, { source: bitmap, scale }];
      source = bitmap;
    }
    this.onMore();
  }
}
