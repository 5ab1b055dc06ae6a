import type { Annotation } from "@/api/schema.gen";
import { drawBrush, drawStroke, type Brush } from "@/canvas/brush_cursor";
import type { Stroke } from "@/canvas/brush";
import { prepare, drawLabel, drawOne, type Style } from "@/canvas/draw";
import type { View } from "@/canvas/geometry";
import { drawHandles, type Handle } from "@/canvas/handles";
import { onMaskReady } from "@/canvas/masks";
import { ImageLayer } from "@/canvas/image_layer";
import { layer, marginLayer, resize, shifted, snapped, withMargin, type Size } from "@/canvas/raster";
import type { Scene } from "@/canvas/scene";
import { ShapeLayer } from "@/canvas/shape_layer";

/** What stands out: redrawn at every move of the pointer, and nothing else is. */
export type Lit = {
  hover: string | null;
  selected: string | null;
  /** An annotation as it would be after the edit that is being made. */
  draft: Annotation | null;
  handles: readonly Handle[];
  active: number | null;
  /** The stroke that is being painted, and the brush where it is now. */
  stroke: Stroke | null;
  brush: Brush | null;
};

export const UNLIT: Lit = { hover: null, selected: null, draft: null, handles: [], active: null, stroke: null, brush: null };

/** Draws an image and its annotations in layers: the image, the shapes, and what stands out on top. No framework. */
export class Painter {
  private readonly imageLayer: ImageLayer;
  private readonly shapes: ShapeLayer;
  private readonly top: HTMLCanvasElement;
  private readonly dimmed: HTMLElement;
  private readonly forget: () => void;
  private size: Size = { width: 0, height: 0, ratio: 1 };
  private image = { width: 1, height: 1 };
  private scene: Scene | null = null;
  private style: Style = { hidden: new Set(), skeletons: new Map(), line: 2 };
  private lit: Lit = UNLIT;
  private view: View = { scale: 1, dx: 0, dy: 0 };
  private isTopDrawn = false;
  private isTopEmpty = false;
  private frame = 0;

  constructor(parent: HTMLElement) {
    this.imageLayer = new ImageLayer(parent, () => this.ask());
    this.dimmed = marginLayer(parent);
    this.shapes = new ShapeLayer(this.dimmed);
    this.top = layer(parent, "top");
    this.forget = onMaskReady(() => {
      this.shapes.invalidate();
      this.isTopDrawn = false;
      this.ask();
    });
  }

  /** Take all that it made out of the page. */
  end(): void {
    cancelAnimationFrame(this.frame);
    this.forget();
    this.top.parentElement?.replaceChildren();
  }

  resize(width: number, height: number): void {
    const ratio = window.devicePixelRatio || 1;
    if (width === this.size.width && height === this.size.height && ratio === this.size.ratio) return;
    this.size = { width, height, ratio };
    this.imageLayer.resize(withMargin(this.size));
    this.shapes.resize(withMargin(this.size));
    resize(this.top, this.size);
    this.again();
  }

  setImage(image: HTMLImageElement | null, width: number, height: number): void {
    this.imageLayer.setImage(image);
    if (width !== this.image.width || height !== this.image.height) {
      this.image = { width, height };
      this.shapes.setImage(this.image);
    }
    this.again();
  }

  setScene(scene: Scene): void {
    this.scene = scene;
    this.shapes.setScene(scene);
    this.again();
  }

  setStyle(style: Style): void {
    this.style = { ...style, later: true };
    this.shapes.setStyle(this.style);
    this.again();
  }

  light(lit: Lit): void {
    this.lit = lit;
    const isOneSelected = Boolean(lit.draft ?? this.scene?.get(lit.selected));
    this.dimmed.style.opacity = isOneSelected ? "0.4" : "";
    this.again();
  }

  look(view: View): void {
    this.view = snapped(view, this.size.ratio);
    this.again();
  }

  private again(): void {
    this.isTopDrawn = false;
    this.ask();
  }

  private ask(): void {
    if (!this.frame) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  private draw(now: number): void {
    this.frame = 0;
    if (this.size.width === 0) return;
    const view = shifted(this.view);
    if (this.imageLayer.follow(view, this.image, now)) this.ask();
    if (this.shapes.follow(view, now)) this.ask();
    if (!this.isTopDrawn) this.drawTop();
    this.isTopDrawn = true;
  }

  private drawTop(): void {
    const { hover, selected, draft, handles, active, stroke, brush } = this.lit;
    const isEmpty = !hover && !selected && !draft && !brush && !stroke;
    if (isEmpty && this.isTopEmpty) return;
    this.isTopEmpty = isEmpty;
    this.top.style.visibility = isEmpty ? "hidden" : "visible";
    const ctx = prepare(this.top, this.size.width, this.size.height);
    if (!ctx) return;
    for (const id of new Set([hover, selected])) {
      const a = id === selected && draft ? draft : this.scene?.get(id)?.a;
      if (!a || this.style.hidden.has(a.class_id)) continue;
      drawOne(ctx, a, this.view, this.style, true);
      drawLabel(ctx, a, this.view, this.style.colourOf);
    }
    if (draft && draft.id !== selected) drawOne(ctx, draft, this.view, this.style, true);
    drawHandles(ctx, handles, this.view, active);
    if (stroke) drawStroke(ctx, stroke, this.view);
    if (brush) drawBrush(ctx, brush, this.view);
  }
}
