import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type PointerEvent, type Ref } from "react";
import type { Annotation } from "@/api/schema.gen";
import type { Stroke } from "@/canvas/brush";
import { Camera } from "@/canvas/camera";
import type { ColourOf } from "@/canvas/colour_by";
import type { Skeletons } from "@/canvas/draw";
import type { Box } from "@/canvas/geometry";
import { Gestures, isPainting, type Around, type Tool } from "@/canvas/gestures";
import { handlesOf, type Handle } from "@/canvas/handles";
import { useLoadedImage } from "@/canvas/loaded_image";
import { Painter } from "@/canvas/painter";
import type { Scene } from "@/canvas/scene";
import { Signal } from "@/kit/signal";

export type StageHandle = {
  fit: () => void;
  actual: () => void;
  zoom: (factor: number) => void;
  move: (dx: number, dy: number) => void;
  show: (box: Box) => void;
  focus: () => void;
};

/** What is done with edits made on the image. */
export type StageEdit = {
  tool: Tool;
  active: number | null;
  /** Radius of the brush in image pixels, and where it is; null while nothing is painted. */
  radius: number;
  brush: Signal<{ x: number; y: number } | null>;
  onReshape: (next: Annotation) => void;
  onBox: (bbox: [number, number, number, number]) => void;
  onPaint: (stroke: Stroke) => void;
};

type Props = {
  /** Address of the image, and of a small one that loads sooner. */
  src: string;
  early: string;
  name: string;
  width: number;
  height: number;
  scene: Scene;
  hidden: ReadonlySet<number>;
  skeletons: Skeletons;
  labels: boolean;
  colourOf?: ColourOf | undefined;
  /** Which pattern of lines an annotation has, where several label sets are drawn. */
  dashOf?: ((a: Annotation) => number) | undefined;
  hover: Signal<string | null>;
  selected: string | null;
  /** Pixels of the screen that a pixel of the image has. */
  scale: Signal<number>;
  /** Shown first instead of the whole image. */
  first: Box | null;
  handle: Ref<StageHandle>;
  onPick: (id: string | null, handle: number | null) => void;
  onFocus?: (isFocused: boolean) => void;
  /** Absent where nothing can be edited. */
  edit?: StageEdit | undefined;
};

const NO_BRUSH = new Signal<{ x: number; y: number } | null>(null);
const NO_HANDLES: readonly Handle[] = [];
const ratio = () => window.devicePixelRatio || 1;

/** One image to look into: wheel and pinch zoom, dragging moves, annotations stay sharp at every size. */
export function Stage(props: Props) {
  const { src, early, width, height, scene, hidden, skeletons, labels, hover, selected, scale, first, edit, colourOf, dashOf } = props;
  const { ref: measure, width: spaceW, height: spaceH } = useElementSize();
  const space = useRef<HTMLDivElement>(null);
  const both = useMergedRef(measure, space);
  const layers = useRef<HTMLDivElement>(null);
  const painter = useRef<Painter>(null);
  const { image, failed } = useLoadedImage(src, early);
  const [draft, setDraft] = useState<Annotation | null>(null);
  const [camera] = useState(() => new Camera((view) => {
    painter.current?.look(view);
    scale.set(view.scale * ratio());
  }));
  const chosen = scene.get(selected)?.a ?? null;
  const shown = draft ?? chosen;
  const erase = edit?.tool === "eraser";
  const paints = edit !== undefined && isPainting(edit.tool) && chosen?.mask !== null && chosen !== null;
  const brush = paints ? edit.brush : NO_BRUSH;
  const radius = edit?.radius ?? 1;
  const [stroke] = useState(() => new Signal<Stroke | null>(null));
  const canEdit = edit !== undefined;
  const handles = useMemo(() => (canEdit && shown && shown.id ? handlesOf(shown) : NO_HANDLES), [canEdit, shown]);

  const now = { scene, hidden, width, height, chosen, handles, edit, onPick: props.onPick };
  const latest = useRef(now);
  // With the page, not after it: what is pressed next is meant for what is seen.
  useLayoutEffect(() => {
    latest.current = now;
  });
  const [gestures] = useState(() => new Gestures(
    (): Around => {
      const { width, height, chosen, edit, ...rest } = latest.current;
      return { ...rest, camera, image: { width, height }, selected: chosen, tool: edit?.tool ?? "look", editable: edit !== undefined };
    },
    {
      onHover: (id) => hover.set(id), onDraft: setDraft, onPick: (id, at) => latest.current.onPick(id, at),
      onReshape: (next) => latest.current.edit?.onReshape(next), onBox: (bbox) => latest.current.edit?.onBox(bbox),
      onBrush: (x, y) => latest.current.edit?.brush.set({ x, y }),
      onStroke: (points) => {
        const { edit } = latest.current;
        stroke.set(edit && points.length ? { points, radius: edit.radius, erase: edit.tool === "eraser" } : null);
      },
      onPaint: (points) => {
        const { edit } = latest.current;
        edit?.onPaint({ points, radius: edit.radius, erase: edit.tool === "eraser" });
      },
      onCursor: (cursor) => {
        if (space.current) space.current.style.cursor = cursor;
      },
    },
  ));

  useEffect(() => {
    if (!layers.current) return;
    const fresh = new Painter(layers.current);
    painter.current = fresh;
    return () => {
      fresh.end();
      painter.current = null;
    };
  }, []);
  useEffect(() => {
    painter.current?.resize(spaceW, spaceH);
    camera.setSpace(spaceW, spaceH);
    painter.current?.look(camera.view);
  }, [camera, spaceW, spaceH]);
  useEffect(() => painter.current?.setImage(image, width, height), [image, width, height]);
  useEffect(() => painter.current?.setScene(scene), [scene]);
  useEffect(() => painter.current?.setStyle({ hidden, skeletons, labels, line: 2, colourOf, dashOf }), [hidden, skeletons, labels, colourOf, dashOf]);
  // Another image: what is to be shown first is asked for once.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  useEffect(() => camera.setImage(width, height, first), [src, width, height]);
  useEffect(() => {
    const light = () => {
      const at = brush.get();
      painter.current?.light({
        hover: hover.get(), selected, draft, handles, active: edit?.active ?? null, stroke: stroke.get(), brush: at && { ...at, radius, erase },
      });
    };
    light();
    const ends = [hover, brush, stroke].map((signal) => signal.subscribe(light));
    return () => ends.forEach((end) => end());
  }, [hover, brush, stroke, radius, erase, selected, draft, handles, edit?.active, scene, hidden]);
  useWheel(space, camera);
  useImperativeHandle(props.handle, () => ({
    fit: () => camera.fit(), actual: () => camera.actual(ratio()), zoom: (factor) => camera.zoom(factor),
    move: (dx, dy) => camera.move(dx, dy), show: (box) => camera.show(box),
    focus: () => space.current?.focus(),
  }), [camera]);

  const place = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  return (
    <div
      ref={both} className="stage" role="group" aria-label="Image" tabIndex={0}
      onFocus={() => props.onFocus?.(true)} onBlur={() => props.onFocus?.(false)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        gestures.down(event.pointerId, place(event));
      }}
      onPointerMove={(event) => gestures.move(event.pointerId, place(event))}
      onPointerUp={(event) => gestures.up(event.pointerId, place(event))}
      onPointerCancel={(event) => gestures.cancel(event.pointerId)}
      onPointerLeave={() => hover.set(null)} onDoubleClick={() => camera.fit()}
    >
      <div ref={layers} className="stage-layers" role="img" aria-label={`${props.name}, ${scene.total} annotations`} />
      {failed ? <p className="stage-failed" role="alert">This image cannot be displayed. Run <code>calotype verify</code> to check its file.</p> : null}
    </div>
  );
}

function useWheel(space: { current: HTMLDivElement | null }, camera: Camera): void {
  useEffect(() => {
    const element = space.current;
    const listen = (event: WheelEvent) => {
      event.preventDefault();
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const by = event.deltaMode === 1 ? event.deltaY * 18 : event.deltaY;
      if (!event.ctrlKey && Math.abs(event.deltaX) >= Math.abs(event.deltaY)) return camera.move(-event.deltaX, 0);
      camera.zoom(Math.exp(-by * (event.ctrlKey ? 0.01 : 0.0018)), event.clientX - box.left, event.clientY - box.top);
    };
    element?.addEventListener("wheel", listen, { passive: false });
    return () => element?.removeEventListener("wheel", listen);
  }, [space, camera]);
}
