import { memo, useMemo } from "react";
import { mediaUrl, thumbUrl } from "@/api/client";
import type { GridObject } from "@/api/schema.gen";
import type { ColourOf } from "@/canvas/colour_by";
import { Crop, viewOf } from "@/canvas/crop";
import { boxOf } from "@/canvas/geometry";
import type { Tile } from "@/grid/grid";

type Props = { dataset: string; item: GridObject; labelSet: string; href: string; tile: Tile; overlays: boolean; colourOf: ColourOf };

const NONE: never[] = [];
/** Sizes of thumbnails that crops are cut from. */
const SIZES = [256, 512, 1024] as const;

/** One object in its surroundings, with its class. A plain link, as `Cell` is. */
export const ObjectTile = memo(
  function ObjectTile({ dataset, item, labelSet, href, tile, overlays, colourOf }: Props) {
    const { width, height, isAt } = tile;
    const { sample } = item;
    const box = useMemo(() => boxOf(item), [item]);
    const own = useMemo(() => [item], [item]);
    const size = useMemo(() => cutFrom(item, width, height), [item, width, height]);
    const src = size ? thumbUrl(dataset, sample.media, size) : mediaUrl(dataset, sample.media);
    const score = item.score?.toFixed(2);
    return (
      <a href={href} className="cell" data-at={isAt} tabIndex={-1} title={`${item.class} in ${sample.name}, ${labelSet}`}>
        <span className="cell-image object-image" style={{ width, height }}>
          <Crop src={src} name="" width={sample.width} height={sample.height} box={box} annotations={overlays ? own : NONE} colourOf={colourOf} />
        </span>
        <span className="cell-caption">
          <span className="cell-class"><i className="dot" style={{ background: colourOf(item) }} />{item.class}</span>
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
    before.tile.isAt === after.tile.isAt,
);

/** The smallest thumbnail that is sharp enough for the crop; null where only the whole image is. */
function cutFrom(item: GridObject, width: number, height: number): number | null {
  const { sample } = item;
  const side = Math.max(sample.width, sample.height);
  const scale = Math.min(1, viewOf(boxOf(item), sample.width, sample.height, width, height).scale * (window.devicePixelRatio || 1));
  // A crop may be a little soft: whole images are many times larger.
  return SIZES.find((size) => size >= side || size >= 0.6 * side * scale) ?? null;
}
