import { prepare } from "@/canvas/draw";
import type { View } from "@/canvas/geometry";
import { layer, resize, type Size } from "@/canvas/raster";

type Level = { source: CanvasImageSource; scale: number };

/** Longest side of the smallest copy that is made of an image. */
const SMALLEST = 512;

/** The image below the shapes. Copies of half, a quarter... of its size make every zoom cost what the screen has pixels. */
export class Picture {
  private readonly canvas: HTMLCanvasElement;
  private size: Size = { width: 0, height: 0, ratio: 1 };
  private levels: Level[] = [];
  private image: HTMLImageElement | null = null;
  private drawn = "";

  constructor(parent: HTMLElement, private readonly onMore: () => void) {
    this.canvas = layer(parent, "image");
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

  draw(view: View, width: number, height: number): void {
    const { scale, dx, dy } = view;
    const key = `${scale} ${dx} ${dy} ${width} ${height} ${this.levels.length}`;
    if (key === this.drawn) return;
    this.drawn = key;
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
