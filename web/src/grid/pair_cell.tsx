import { memo } from "react";
import type { GridSample } from "@/api/schema.gen";
import { isDrawn, Overlay, spoken, Thumbnail, type Look } from "@/grid/cell";

/** A sample with its annotations of another label set or state; null where that state has no such sample. */
export type Pair = GridSample & { beside: GridSample | null };

/** One half: what its annotations are, and how they look. */
export type Side = { name: string; look: Look };

type Props = { dataset: string; item: Pair; href: string; x: number; width: number; height: number; isAt: boolean; left: Side; right: Side };

const BETWEEN = 2;

/** One image twice: with its annotations, and with those of another label set or state. */
export const PairCell = memo(function PairCell({ dataset, item, href, x, width, height, isAt, left, right }: Props) {
  const half = Math.floor((width - BETWEEN) / 2);
  const sides = [{ ...left, of: item as GridSample | null }, { ...right, of: item.beside }];
  return (
    <a href={href} className="cell" data-at={isAt} tabIndex={-1} title={item.name}>
      <span className="cell-image pair" style={{ width, height }}>
        {sides.map(({ name, look, of }, at) => (
          <span key={at} className="pair-half" style={{ width: half, height }}>
            <Thumbnail dataset={dataset} media={(of ?? item).media} wanted={half} />
            {of && look.overlays && of.annotations.some(isDrawn) ? <Overlay item={of} x={x + at * (half + BETWEEN)} width={half} height={height} look={look} /> : null}
            <span className="pair-name cut">{of ? name : `not in ${name}`}</span>
          </span>
        ))}
      </span>
      <span className="cell-caption">
        <span className="cut cell-name">{item.name}</span>
        {item.split ? <span className="cell-split">{item.split}</span> : null}
        <span className="hidden-label">{spoken(item)}; {item.beside ? `${right.name}${spoken(item.beside)}` : `not in ${right.name}`}</span>
      </span>
    </a>
  );
});
