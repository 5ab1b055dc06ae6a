import { memo, useCallback, useMemo, useState } from "react";
import { mediaUrl, thumbUrl } from "@/api/client";
import type { GridObject } from "@/api/schema.gen";
import type { ColourOf } from "@/canvas/colour_by";
import { viewOf } from "@/canvas/crop";
import { drawAnnotations, type Skeletons } from "@/canvas/draw";
import { boxOf, type View } from "@/canvas/geometry";
import { isDrawn } from "@/grid/cell";
import type { Tile } from "@/grid/grid";
import { useBoard } from "@/grid/row";

type Props = { dataset: string; item: GridObject; labelSet: string; href: string; tile: Tile; overlays: boolean; colourOf: ColourOf };

const NOTHING_HIDDEN: ReadonlySet<number> = new Set();
const NO_BONES: Skeletons = new Map();
/** From this scale on, pixels are shown as they are. */
const COARSE = 2.5;
/** Sizes of thumbnails that crops are cut from. */
const SIZES = [256, 512, 1024] as const;

/** One object in its surroundings, with its class. A plain link, as `Cell` is. */
export const ObjectTile = memo(
  function ObjectTile({ dataset, item, labelSet, href, tile, overlays, colourOf }: Props) {
    const { x, width, height, isAt } = tile;
    const { sample } = item;
    const view = useMemo(() => viewOf(boxOf(item), sample.width, sample.height, width, height), [item, sample, width, height]);
    const size = cutFrom(sample, view);
    const src = size ? thumbUrl(dataset, sample.media, size) : mediaUrl(dataset, sample.media);
    const score = item.score?.toFixed(2);
    return (
      <a href={href} className="cell" data-at={isAt} tabIndex={-1} title={`${item.class} in ${sample.name}, ${labelSet}`}>
        <span className="cell-image object-image" style={{ width, height }}>
          <Part key={src} src={src} width={sample.width} height={sample.height} view={view} />
          {overlays && isDrawn(item) ? <Outline item={item} x={x} width={width} view={view} colourOf={colourOf} /> : null}
        </span>
        <span className="cell-caption">
          <span className="cell-class"><i className="dot" style={{ background: colourOf(item) }} /><span className="cut">{item.class}</span></span>
          {score ? <span className="num">{score}</span> : null}
          <span className="cut cell-name object-sample">{sample.name}</span>
          <span className="hidden-label">, {labelSet}{item.text ? `, ${item.text}` : ""}</span>
        </span>
      </a>
    );
  },
  (before, after) =>
    before.dataset === after.dataset && before.item === after.item && before.labelSet === after.labelSet && before.href === after.href &&
    before.overlays === after.overlays && before.colourOf === after.colourOf && before.tile.width === after.tile.width && before.tile.height === after.tile.height &&
    before.tile.x === after.tile.x && before.tile.isAt === after.tile.isAt,
);

type PartProps = { src: string; width: number; height: number; view: View };

/** The part of an image that is looked at, cut by its frame: a screen of canvases would cost more than the images do. */
function Part({ src, width, height, view }: PartProps) {
  const [state, setState] = useState<"loading" | "there" | "missing">("loading");
  if (state === "missing") return <span className="cell-missing">no image</span>;
  const { scale, dx, dy } = view;
  return (
    <img
      src={src} alt="" decoding="async" draggable={false} data-state={state} onLoad={() => setState("there")} onError={() => setState("missing")}
      style={{ left: dx, top: dy, width: width * scale, height: height * scale, imageRendering: scale < COARSE ? undefined : "pixelated" }}
    />
  );
}

type OutlineProps = { item: GridObject; x: number; width: number; view: View; colourOf: ColourOf };

/** The outline of the object, over its image, which begins at `x` of the row. */
function Outline({ item, x, width, view, colourOf }: OutlineProps) {
  const paint = useCallback((ctx: CanvasRenderingContext2D) => {
    drawAnnotations(ctx, [item], view, { hidden: NOTHING_HIDDEN, skeletons: NO_BONES, line: 1, colourOf });
  }, [item, view, colourOf]);
  useBoard(x, width, paint);
  return null;
}

/** The smallest thumbnail that is sharp enough for the crop; null where only the whole image is. */
function cutFrom(sample: GridObject["sample"], view: View): number | null {
  const side = Math.max(sample.width, sample.height);
  const scale = Math.min(1, view.scale * (window.devicePixelRatio || 1));
  // A crop may be a little soft: whole images are many times larger.
  return SIZES.find((size) => size >= side || size >= 0.6 * side * scale) ?? null;
}
