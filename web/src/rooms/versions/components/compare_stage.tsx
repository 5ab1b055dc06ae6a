import { useElementSize, useMergedRef, useReducedMotion } from "@mantine/hooks";
import { useEffect, useRef, useState, type PointerEvent } from "react";
import { mediaUrl } from "@/api/client";
import type { ComparedSample } from "@/api/schema.gen";
import { prepare } from "@/canvas/draw";
import { fit, fitBox, kept, zoomAt, type Box, type View } from "@/canvas/geometry";
import type { Mode } from "../search";
import { drawSide, shownOf, type Side } from "./change_shapes";

const SIDES = ["before", "after"] as const;
const BLINK_MS = 700;
const NAMES: Record<Side, string> = { before: "Before", after: "After" };

type Props = {
  dataset: string;
  sample: ComparedSample;
  mode: Mode;
  /** Show the annotations that are the same in both states. */
  rest: boolean;
  /** The part of the image to show; null for all of it. */
  place: Box | null;
};

/** A sample before and after: side by side with one zoom, in one image, or by turns. */
export function CompareStage({ dataset, sample, mode, rest, place }: Props) {
  const { ref, width, height } = useElementSize();
  const calm = useReducedMotion();
  const [turn, setTurn] = useState<Side>("after");
  const [moved, setMoved] = useState<{ of: string; view: View } | null>(null);
  const known = sample.after ?? sample.before;
  const [w, h] = [known?.width ?? 1, known?.height ?? 1];
  const spaceW = mode === "side" ? Math.max(1, (width - 10) / 2) : Math.max(1, width);
  const spaceH = Math.max(1, height);
  const key = `${sample.id} ${mode} ${JSON.stringify(place)} ${width} ${height}`;
  const view = moved?.of === key ? moved.view : place ? kept(fitBox(place, spaceW, spaceH), w, h, spaceW, spaceH) : fit(w, h, spaceW, spaceH, 8);
  const change = (next: View) => setMoved({ of: key, view: kept(next, w, h, spaceW, spaceH) });

  useEffect(() => {
    if (mode !== "blink" || calm) return;
    const timer = setInterval(() => setTurn((side) => (side === "before" ? "after" : "before")), BLINK_MS);
    return () => clearInterval(timer);
  }, [mode, calm]);

  const panes: readonly (readonly Side[])[] = mode === "side" ? [["before"], ["after"]] : mode === "overlay" ? [SIDES] : [[turn]];
  return (
    <div ref={ref} className="compare-stage" data-mode={mode}>
      {panes.map((sides, at) => (
        <Pane key={at} dataset={dataset} sample={sample} sides={sides} rest={rest} view={view} width={spaceW} height={spaceH} onView={change}
          onClick={mode === "blink" ? () => setTurn(turn === "before" ? "after" : "before") : undefined} />
      ))}
    </div>
  );
}

function Pane({ dataset, sample, sides, rest, view, width, height, onView, onClick }: {
  dataset: string;
  sample: ComparedSample;
  sides: readonly Side[];
  rest: boolean;
  view: View;
  width: number;
  height: number;
  onView: (view: View) => void;
  onClick?: (() => void) | undefined;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const wheel = useRef<HTMLCanvasElement>(null);
  const both = useMergedRef(canvas, wheel);
  const shown = sides.at(-1) ?? "after";
  const state = sample[shown] ?? null;
  const image = useImage(state ? mediaUrl(dataset, state.media) : "");
  useEffect(() => {
    const ctx = canvas.current && width > 1 ? prepare(canvas.current, width, height) : null;
    if (!ctx || !state) return;
    if (image) ctx.drawImage(image, view.dx, view.dy, state.width * view.scale, state.height * view.scale);
    for (const side of sides) drawSide(ctx, shownOf(sample, side), view, side, rest && side === shown);
  });
  useEffect(() => {
    const element = wheel.current;
    const zoom = (event: WheelEvent) => {
      event.preventDefault();
      onView(zoomAt(view, Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY, 0.02, 40));
    };
    element?.addEventListener("wheel", zoom, { passive: false });
    return () => element?.removeEventListener("wheel", zoom);
  });
  const move = (event: PointerEvent) => {
    if (!last.current) return;
    const [dx, dy] = [event.clientX - last.current.x, event.clientY - last.current.y];
    if (!last.current.moved && Math.hypot(dx, dy) < 4) return;
    onView({ ...view, dx: view.dx + dx, dy: view.dy + dy });
    last.current = { x: event.clientX, y: event.clientY, moved: true };
  };
  const label = sides.length > 1 ? "Before and after" : NAMES[shown];
  return (
    <figure className="compare-pane" style={{ width, height }}>
      <canvas
        ref={both} className="compare-canvas" style={{ width, height }} role="img" aria-label={`${label}: ${sample.name}`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          last.current = { x: event.clientX, y: event.clientY, moved: false };
        }}
        onPointerMove={move}
        onPointerUp={() => {
          if (last.current && !last.current.moved) onClick?.();
          last.current = null;
        }}
      />
      <figcaption>
        {sides.map((side) => <span key={side} className={`compare-side ${side}`}>{NAMES[side]}</span>)}
        {state ? null : <span>{shown === "before" ? "not in the earlier state" : "removed"}</span>}
      </figcaption>
    </figure>
  );
}

/** The image at an address once it has loaded. */
function useImage(address: string): HTMLImageElement | null {
  const [loaded, setLoaded] = useState<{ address: string; image: HTMLImageElement } | null>(null);
  useEffect(() => {
    if (!address) return;
    let isWanted = true;
    const image = new Image();
    image.src = address;
    const done = () => isWanted && setLoaded({ address, image });
    void image.decode().then(done, () => undefined);
    return () => {
      isWanted = false;
    };
  }, [address]);
  return loaded?.address === address ? loaded.image : null;
}
