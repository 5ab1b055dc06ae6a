import { IconAlertTriangle, IconArrowBackUp } from "@tabler/icons-react";
import { memo, useCallback, useMemo, useState } from "react";
import { thumbUrl } from "@/api/client";
import type { Annotation, GridSample } from "@/api/schema.gen";
import type { Coloured, ColourOf } from "@/canvas/colour_by";
import { drawAnnotations, type Skeletons } from "@/canvas/draw";
import { fit } from "@/canvas/geometry";
import { useBoard } from "@/grid/row";
import { plural } from "@/kit/format";

export type Look = { hidden: ReadonlySet<number>; skeletons: Skeletons; overlays: boolean; colourOf: ColourOf };

type Props = {
  dataset: string;
  item: GridSample;
  href: string;
  x: number;
  width: number;
  height: number;
  isAt: boolean;
  look: Look;
};

/**
 * One sample: its image, its annotations and a caption. A plain link, as there are hundreds; the grid follows it without
 * reloading the page.
 */
export const Cell = memo(function Cell({ dataset, item, href, x, width, height, isAt, look }: Props) {
  return (
    <a
      href={href} className="cell" data-at={isAt} tabIndex={-1} title={item.name}
    >
      <span className="cell-image" style={{ width, height }}>
        <Thumbnail dataset={dataset} media={item.media} wanted={width} />
        {look.overlays && item.annotations.some(isDrawn) ? <Overlay item={item} x={x} width={width} height={height} look={look} /> : null}
        {look.overlays ? <Caption item={item} hidden={look.hidden} /> : null}
        {item.findings ? (
          <span className="cell-findings" aria-hidden="true" title={plural(item.findings, "finding")}>
            <IconAlertTriangle size={12} /> {item.findings}
          </span>
        ) : null}
      </span>
      <span className="cell-caption">
        <Tags item={item} look={look} />
        <span className="cut cell-name">{item.name}</span>
        {item.parent ? <IconArrowBackUp size={12} aria-hidden="true" /> : null}
        {item.split ? <span className="cell-split">{item.split}</span> : null}
        <span className="hidden-label">{spoken(item)}</span>
      </span>
    </a>
  );
});

/** What the image shows at a glance, for screen readers. */
export function spoken(item: GridSample): string {
  const words = [plural(item.annotations.length, "annotation")];
  if (item.parent) words.push("derived");
  if (item.findings) words.push(plural(item.findings, "finding"));
  return `, ${words.join(", ")}`;
}

/** Classes that name the whole image stand in the caption. */
const named = (item: GridSample, hidden: ReadonlySet<number>) =>
  item.annotations.filter((a) => a.kind === "classification" && !hidden.has(a.class_id)).slice(0, 2);

function Tags({ item, look }: { item: GridSample; look: Look }) {
  return named(item, look.hidden).map((a) => (
    <span key={a.id} className="cell-class"><i className="dot" style={{ background: look.colourOf(a) }} /><span className="cut">{a.class}</span></span>
  ));
}

/** The first caption, over the lower edge of the image. */
function Caption({ item, hidden }: { item: GridSample; hidden: ReadonlySet<number> }) {
  const texts = item.annotations.filter((a) => a.kind === "caption" && a.text && !hidden.has(a.class_id)).map((a) => a.text);
  if (texts.length === 0) return null;
  return <span className="cell-text" title={texts.join("\n")}><span>{texts[0]}</span>{texts.length > 1 ? <b>+{texts.length - 1}</b> : null}</span>;
}

export const isDrawn = (a: Annotation) => a.bbox !== null || a.rings.length > 0 || a.keypoints.length > 0 || a.mask !== null;

export function Thumbnail({ dataset, media, wanted }: { dataset: string; media: string; wanted: number }) {
  const [state, setState] = useState<"loading" | "there" | "missing">("loading");
  const size = wanted * (window.devicePixelRatio || 1) > 280 ? 512 : 256;
  if (state === "missing") return <span className="cell-missing">no image</span>;
  return (
    <img
      src={thumbUrl(dataset, media, size)} alt="" decoding="async" draggable={false} data-state={state}
      onLoad={() => setState("there")} onError={() => setState("missing")}
    />
  );
}

/** The annotations, those with an open finding marked. */
function marked({ annotations, flagged }: GridSample): readonly Coloured[] {
  const open = new Set(flagged);
  return open.size ? annotations.map((a) => ({ ...a, flagged: open.has(a.id) })) : annotations;
}

/** The annotations of a sample over its image, which begins at `x` of the row. */
export function Overlay({ item, x, width, height, look }: { item: GridSample; x: number; width: number; height: number; look: Look }) {
  const annotations = useMemo(() => marked(item), [item]);
  const paint = useCallback((ctx: CanvasRenderingContext2D) => {
    const view = fit(item.width, item.height, width, height);
    drawAnnotations(ctx, annotations, view, { hidden: look.hidden, skeletons: look.skeletons, line: width < 200 ? 1 : 2, colourOf: look.colourOf });
  }, [item, annotations, width, height, look]);
  useBoard(x, width, paint);
  return null;
}
