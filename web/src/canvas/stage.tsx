import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type PointerEvent, type Ref } from "react";
import type { Annotation } from "@/api/schema.gen";
import type { Stroke } from "@/canvas/brush";
import { Camera } from "@/canvas/camera";
import type { ColourOf } from "@/canvas/colour_by";
import type { Skeletons } from "@/canvas/draw";
import type { Box, View } from "@/canvas/geometry";
import { Gestures, isPainting, type Around, type Pen, type Tool } from "@/canvas/gestures";
import { handlesOf, type Handle } from "@/canvas/handles";
import { useLoadedImage } from "@/canvas/loaded_image";
import { Painter } from "@/canvas/painter";
import type { Scene } from "@/canvas/scene";
import { turnStyle, unturned, type Turn } from "@/canvas/view_turn";
import { Signal } from "@/kit/signal";
import "./stage.css";

export type StageHandle = {
  fit: () => void;
  actual: () => void;
  zoom: (factor: number) => void;
  move: (dx: number, dy: number) => void;
  show: (box: Box) => void;
  focus: () => void;
  /** What is being drawn: completed, one point back, given up; a joint hidden or left out. Whether there was something. */
  finish: () => boolean;
  back: (all?: boolean) => boolean;
  joint: (visibility: 0 | 1) => boolean;
  /** Press, or point, with the keyboard's own cursor; in image pixels. */
  press: (at: { x: number; y: number }) => void;
  point: (at: { x: number; y: number }) => void;
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
  /** For the tools that draw, and the brush where no mask is selected. */
  pen?: Pen;
  onDrawn?: (shape: Annotation) => void;
  /** What is being drawn or reshaped, as it is now. */
  drafted?: Signal<Annotation | null>;
  /** The selected annotation is not to be changed by hand. */
  isFixed?: boolean;
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
  turn?: Turn;
  /** Images that are looked at together: each follows the other. */
  shared?: Signal<View | null> | undefined;
};

const NO_BRUSH = new Signal<{ x: number; y: number } | null>(null);
const NO_HANDLES: readonly Handle[] = [];
const ratio = () => window.devicePixelRatio || 1;

/** One image to look into: wheel and pinch zoom, dragging moves, annotations stay sharp at every size. */
export function Stage(props: Props) {
  const { src, early, width, height, scene, hidden, skeletons, labels, hover, selected, scale, first, edit, colourOf, dashOf, shared, turn = 0 } = props;
  const { ref: measure, width: windowW, height: windowH } = useElementSize();
  const [spaceW, spaceH] = turn % 180 ? [windowH, windowW] : [windowW, windowH];
  const space = useRef<HTMLDivElement>(null);
  const both = useMergedRef(measure, space);
  const layers = useRef<HTMLDivElement>(null);
  const painter = useRef<Painter>(null);
  const { image, failed } = useLoadedImage(src, early);
  const [draft, setDraft] = useState<Annotation | null>(null);
  const [camera] = useState(() => new Camera((view) => {
    painter.current?.look(view);
    scale.set(view.scale * ratio());
    latest.current.shared?.set(view);
  }));
  const chosen = scene.get(selected)?.a ?? null;
  const shown = draft ?? chosen;
  const erase = edit?.tool === "eraser";
  const paints = edit !== undefined && isPainting(edit.tool) && ((chosen !== null && chosen.mask !== null) || edit.pen?.starts === true);
  const draws = edit?.tool.startsWith("draw ") ?? false;
  const brush = edit && (paints || draws) ? edit.brush : NO_BRUSH;
  const radius = draws ? 0 : (edit?.radius ?? 1);
  const [stroke] = useState(() => new Signal<Stroke | null>(null));
  const canEdit = edit !== undefined && !edit.isFixed && !draws;
  const handles = useMemo(() => (canEdit && shown && shown.id ? handlesOf(shown) : NO_HANDLES), [canEdit, shown]);

  const now = { scene, hidden, width, height, chosen, handles, edit, onPick: props.onPick, shared };
  const latest = useRef(now);
  // With the page, not after it: what is pressed next is meant for what is seen.
  useLayoutEffect(() => {
    latest.current = now;
  });
  const [gestures] = useState(() => new Gestures(
    (): Around => {
      const { width, height, chosen, edit, shared: _shared, ...rest } = latest.current;
      return { ...rest, camera, image: { width, height }, selected: chosen, tool: edit?.tool ?? "look", editable: edit !== undefined, pen: edit?.pen, isFixed: edit?.isFixed ?? false };
    },
    {
      onHover: (id) => hover.set(id), onDrawn: (shape) => latest.current.edit?.onDrawn?.(shape),
      onDraft: (next) => {
        setDraft(next);
        latest.current.edit?.drafted?.set(next);
      }, onPick: (id, at) => latest.current.onPick(id, at),
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
  useWheel(space, camera, turn);
  useEffect(() => shared?.subscribe(() => {
    const view = shared.get();
    if (view) camera.follow(view);
  }), [camera, shared]);
  useEffect(() => void gestures.back(true), [gestures, edit?.tool, src]);
  useImperativeHandle(props.handle, () => ({
    fit: () => camera.fit(), actual: () => camera.actual(ratio()), zoom: (factor) => camera.zoom(factor),
    move: (dx, dy) => camera.move(dx, dy), show: (box) => camera.show(box),
    focus: () => space.current?.focus(), finish: () => gestures.finish(), back: (all) => gestures.back(all), joint: (visibility) => gestures.joint(visibility),
    press: (at) => gestures.pressAt(at), point: (at) => gestures.hoverAt(at),
  }), [camera, gestures]);

  const place = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { ...unturned(event.clientX - box.left, event.clientY - box.top, box.width, box.height, turn), free: event.altKey };
  };
  return (
    <div
      ref={both} className="stage" role="group" aria-label="Image" tabIndex={0}
      onFocus={() => props.onFocus?.(true)} onBlur={() => props.onFocus?.(false)}
      onPointerDown={(event) => {
        if (event.button > 1) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        gestures.down(event.pointerId, place(event), event.button === 1);
      }}
      onPointerMove={(event) => gestures.move(event.pointerId, place(event))}
      onPointerUp={(event) => gestures.up(event.pointerId, place(event))}
      onPointerCancel={(event) => gestures.cancel(event.pointerId)}
      onPointerLeave={() => hover.set(null)} onDoubleClick={() => (draws ? gestures.finish() : camera.fit())}
    >
      <div ref={layers} className="stage-layers" style={turnStyle(windowW, windowH, turn)} role="img" aria-label={`${props.name}, ${scene.total} annotations`} />
      {failed ? <p className="stage-failed" role="alert">This image cannot be displayed. Run <code>calotype verify</code> to check its file.</p> : null}
    </div>
  );
}

function useWheel(space: { current: HTMLDivElement | null }, camera: Camera, turn: Turn): void {
  useEffect(() => {
    const element = space.current;
    const listen = (event: WheelEvent) => {
      event.preventDefault();
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const by = event.deltaMode === 1 ? event.deltaY * 18 : event.deltaY;
      if (!event.ctrlKey && Math.abs(event.deltaX) >= Math.abs(event.deltaY)) {
        const to = unturned(-event.deltaX, 0, 0, 0, turn);
        return camera.move(to.x, to.y);
      }
      const at = unturned(event.clientX - box.left, event.clientY - box.top, box.width, box.height, turn);
      camera.zoom(Math.exp(-by * (event.ctrlKey ? 0.01 : 0.0018)), at.x, at.y);
    };
    element?.addEventListener("wheel", listen, { passive: false });
    return () => element?.removeEventListener("wheel", listen);
  }, [space, camera, turn]);
}
