import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import type { Annotation } from "@/api/schema.gen";
import type { ColourOf } from "@/canvas/colour_by";
import { drawAnnotations, prepare, type Skeletons } from "@/canvas/draw";
import { fit, fitBox, type Box, type View } from "@/canvas/geometry";
import "./crop.css";

type Props = {
  src: string;
  /** A small image that loads sooner, or all that is needed. */
  early?: string;
  name: string;
  /** Size of the whole image in pixels. */
  width: number;
  height: number;
  /** What to look at; the whole image where there is nothing. */
  box: Box | null;
  annotations?: readonly Annotation[];
  lit?: string | null;
  skeletons?: Skeletons;
  /** A box that is suggested: dashed. */
  proposed?: Box | null;
  labels?: boolean;
  colourOf?: ColourOf | undefined;
};

const NONE: ReadonlySet<number> = new Set();
const NO_BONES: Skeletons = new Map();

/** An object in its surroundings: the image around it, outlines on top, the object in question strongest. */
export function Crop({ src, early, name, width, height, box, annotations = [], lit = null, skeletons = NO_BONES, proposed = null, labels = false, colourOf }: Props) {
  const { ref, width: spaceW, height: spaceH } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { image, failed } = useImage(src, early);
  useEffect(() => {
    if (!canvas.current || !spaceW || !spaceH) return;
    const ctx = prepare(canvas.current, spaceW, spaceH);
    if (!ctx) return;
    const view = viewOf(box, width, height, spaceW, spaceH);
    if (image) {
      ctx.imageSmoothingEnabled = view.scale < 2.5;
      ctx.imageSmoothingQuality = "high";
      ctx.drawImage(image, view.dx, view.dy, width * view.scale, height * view.scale);
    }
    drawAnnotations(ctx, annotations, view, { hidden: NONE, skeletons, line: labels ? 2 : 1, lit, labels, colourOf });
    if (proposed) drawProposed(ctx, proposed, view);
  }, [image, spaceW, spaceH, box, width, height, annotations, lit, skeletons, proposed, labels, colourOf]);
  return (
    <div ref={ref} className="crop" {...(name ? { role: "img", "aria-label": name } : { "aria-hidden": true })}>
      <canvas ref={canvas} style={{ width: spaceW, height: spaceH }} aria-hidden="true" />
      {failed ? <p className="dim crop-failed">This image cannot be displayed</p> : null}
    </div>
  );
}

/** Share of the space that an object takes: most of the view is what is around it. */
const SHARE = 0.4;
const MOST_SCALE = 6;

/** The object in its surroundings; small ones are not blown up without end, and no space beside the image is shown. */
export function viewOf(box: Box | null, width: number, height: number, spaceW: number, spaceH: number): View {
  const whole = fit(width, height, spaceW, spaceH);
  if (!box) return whole;
  const close = fitBox(grown(box), spaceW, spaceH, Math.max(MOST_SCALE, whole.scale));
  if (close.scale <= whole.scale) return whole;
  const inside = (offset: number, size: number, space: number) => (size <= space ? (space - size) / 2 : Math.min(0, Math.max(space - size, offset)));
  return { scale: close.scale, dx: inside(close.dx, width * close.scale, spaceW), dy: inside(close.dy, height * close.scale, spaceH) };
}

/** `fitBox` gives a box half of the space. */
const grown = ({ x, y, w, h }: Box): Box => {
  const by = (0.5 / SHARE - 1) / 2;
  return { x: x - w * by, y: y - h * by, w: w * (1 + 2 * by), h: h * (1 + 2 * by) };
};

function drawProposed(ctx: CanvasRenderingContext2D, box: Box, { scale, dx, dy }: View): void {
  ctx.setLineDash([7, 5]);
  for (const [colour, line] of [["rgb(0 0 0 / 65%)", 4], ["#ffffff", 2]] as const) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = line;
    ctx.strokeRect(box.x * scale + dx, box.y * scale + dy, box.w * scale, box.h * scale);
  }
  ctx.setLineDash([]);
}

/** The image, a small one until it has loaded. */
function useImage(src: string, early: string | undefined) {
  const [loaded, setLoaded] = useState<{ src: string; image: HTMLImageElement | null; failed: boolean; full: boolean } | null>(null);
  useEffect(() => {
    let over = false;
    const load = (url: string, full: boolean) => {
      const image = new Image();
      image.onload = () => {
        if (!over) setLoaded((before) => (before?.src === src && before.full && !full ? before : { src, image, failed: false, full }));
      };
      image.onerror = () => {
        if (!over && full) setLoaded((before) => ({ src, image: before?.src === src ? before.image : null, failed: true, full }));
      };
      image.src = url;
    };
    if (early) load(early, false);
    load(src, true);
    return () => {
      over = true;
    };
  }, [src, early]);
  return loaded?.src === src ? loaded : { image: null, failed: false };
}
