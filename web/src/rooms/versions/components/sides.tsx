import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { mediaUrl } from "@/api/client";
import type { SampleDetail } from "@/api/schema.gen";
import type { MergeConflict, MergeDetail } from "@/api/schema.gen";
import { drawAnnotations, prepare } from "@/canvas/draw";
import { fit, fitBox } from "@/canvas/geometry";
import { sample } from "@/rooms/browse/api";
import { SIDES, annotationOf, boxOfSides, valueOf, type Side } from "./conflict_rows";

const NAMES: Record<Side, string> = { base: "Base", ours: "Ours", theirs: "Theirs" };
const NONE: ReadonlySet<number> = new Set();
const NO_BONES = new Map<number, readonly (readonly [number, number])[]>();

/** One conflict, side by side: the base, the target and the source. */
export function Sides({ dataset, merge, conflict }: { dataset: string; merge: MergeDetail; conflict: MergeConflict }) {
  const isRemovedHere = conflict.table === "samples" && conflict.ours === null;
  const ref = (isRemovedHere ? merge.source_commit : merge.target_commit) ?? merge.source_commit;
  const isKnown = conflict.sample_id !== null && ref !== null;
  const query = useQuery({ ...sample(dataset, conflict.sample_id ?? "", ref ?? "", {}), enabled: isKnown });
  return (
    <div className="sides">
      {SIDES.map((side) => (
        <figure key={side} className="side" aria-label={NAMES[side]}>
          <figcaption>
            <b>{NAMES[side]}</b>
            <span className="dim cut">{side === "ours" ? merge.into : side === "theirs" ? merge.source : "common ancestor"}</span>
          </figcaption>
          {query.data ? <SideImage dataset={dataset} sample={query.data} conflict={conflict} side={side} /> : null}
          <Values conflict={conflict} side={side} />
        </figure>
      ))}
    </div>
  );
}

function SideImage({ dataset, sample, conflict, side }: { dataset: string; sample: SampleDetail; conflict: MergeConflict; side: Side }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const image = new Image();
    image.src = mediaUrl(dataset, sample.media);
    const draw = () => {
      const place = canvas.current;
      if (!place) return;
      const [w, h] = [place.clientWidth, place.clientHeight];
      const ctx = prepare(place, w, h);
      if (!ctx) return;
      const box = boxOfSides(conflict);
      const view = box ? fitBox(box, w, h) : fit(sample.width, sample.height, w, h);
      if (image.complete) ctx.drawImage(image, view.dx, view.dy, sample.width * view.scale, sample.height * view.scale);
      const drawn = annotationOf(conflict[side]);
      if (drawn) drawAnnotations(ctx, [drawn], view, { hidden: NONE, skeletons: NO_BONES, line: 2, lit: drawn.id });
    };
    image.onload = draw;
    const watch = new ResizeObserver(draw);
    if (canvas.current) watch.observe(canvas.current);
    return () => {
      image.onload = null;
      watch.disconnect();
    };
  }, [dataset, sample, conflict, side]);
  return <canvas ref={canvas} className="side-image" role="img" aria-label={`${NAMES[side]}: ${sample.name}`} />;
}

function Values({ conflict, side }: { conflict: MergeConflict; side: Side }) {
  const row = conflict[side];
  if (!row) return <p className="side-gone">{side === "base" ? "not present" : "removed"}</p>;
  if (!conflict.fields.length) return <p className="dim">{side === "base" ? "unchanged" : "edited"}</p>;
  return (
    <dl className="side-values">
      {conflict.fields.map((field) => <div key={field}><dt className="dim">{field}</dt><dd className="tabular">{valueOf(row, field)}</dd></div>)}
    </dl>
  );
}
