import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useImperativeHandle, useRef, useState, type PointerEvent, type Ref } from "react";
import type { Annotation } from "@/api/schema.gen";
import { drawAnnotations, prepare, type Skeletons } from "@/canvas/draw";
import { fit, fitBox, hit, kept, zoomAt, type Box, type View } from "@/canvas/geometry";

export type StageHandle = { fit: () => void; actual: () => void; zoom: (factor: number) => void; show: (box: Box) => void };

type Props = {
  /** Address of the image, and of a small one that loads sooner. */
  src: string;
  early: string;
  name: string;
  width: number;
  height: number;
  annotations: readonly Annotation[];
  hidden: ReadonlySet<number>;
  skeletons: Skeletons;
  lit: string | null;
  labels: boolean;
  onHover: (id: string | null) => void;
  onPick: (id: string) => void;
  onScale: (scale: number) => void;
  /** Shown first instead of the whole image. */
  first: Box | null;
  handle: Ref<StageHandle>;
};

/** One image to look into: wheel zooms, dragging moves, annotations stay sharp at every size. */
export function Stage(props: Props) {
  const { src, early, width, height, annotations, hidden, skeletons, lit, labels, onScale, first } = props;
  const { ref: measure, width: spaceW, height: spaceH } = useElementSize();
  const space = useRef<HTMLDivElement>(null);
  const both = useMergedRef(measure, space);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { image, failed } = useLoadedImage(src, early);
  const [view, setView] = useState<View | null>(null);
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const ready = spaceW > 0 && spaceH > 0;
  const whole = () => fit(width, height, spaceW, spaceH, 16);
  const now = view ?? (ready ? whole() : { scale: 1, dx: 0, dy: 0 });
  const limits = [whole().scale / 2, 64] as const;

  useEffect(() => {
    setView(first && ready ? fitBox(first, spaceW, spaceH) : null);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [src, ready, first?.x, first?.y, first?.w, first?.h]);
  useEffect(() => onScale(now.scale), [now.scale, onScale]);

  const change = (next: View) => setView(kept(next, width, height, spaceW, spaceH));
  const zoom = (factor: number, x = spaceW / 2, y = spaceH / 2) => change(zoomAt(now, factor, x, y, limits[0], limits[1]));
  useImperativeHandle(props.handle, () => ({
    fit: () => setView(null),
    actual: () => zoom(1 / now.scale),
    zoom,
    show: (box) => change(fitBox(box, spaceW, spaceH)),
  }));

  const wheel = useRef((_: WheelEvent) => {});
  wheel.current = (event) => {
    event.preventDefault();
    const by = event.deltaMode === 1 ? event.deltaY * 18 : event.deltaY;
    if (event.ctrlKey || Math.abs(event.deltaX) < Math.abs(event.deltaY)) zoom(Math.exp(-by * (event.ctrlKey ? 0.01 : 0.0018)), event.offsetX, event.offsetY);
    else change({ ...now, dx: now.dx - event.deltaX });
  };
  useEffect(() => {
    const element = space.current;
    const listen = (event: WheelEvent) => wheel.current(event);
    element?.addEventListener("wheel", listen, { passive: false });
    return () => element?.removeEventListener("wheel", listen);
  }, []);

  useEffect(() => {
    if (!canvas.current || !ready) return;
    const ctx = prepare(canvas.current, spaceW, spaceH);
    if (!ctx) return;
    if (image) {
      ctx.imageSmoothingEnabled = now.scale < 2.5;
      ctx.imageSmoothingQuality = "high";
      ctx.drawImage(image, now.dx, now.dy, width * now.scale, height * now.scale);
    }
    drawAnnotations(ctx, annotations, now, { hidden, skeletons, lit, labels, line: 2 });
  });

  const at = (event: PointerEvent) => {
    const [x, y] = [(event.nativeEvent.offsetX - now.dx) / now.scale, (event.nativeEvent.offsetY - now.dy) / now.scale];
    return hit(annotations.filter((a) => !hidden.has(a.class_id)), x, y, 4 / now.scale);
  };
  const move = (event: PointerEvent) => {
    if (!drag.current) return props.onHover(at(event)?.id ?? null);
    const [dx, dy] = [event.clientX - drag.current.x, event.clientY - drag.current.y];
    if (!drag.current.moved && Math.hypot(dx, dy) < 4) return;
    drag.current = { x: event.clientX, y: event.clientY, moved: true };
    change({ ...now, dx: now.dx + dx, dy: now.dy + dy });
  };
  const up = (event: PointerEvent) => {
    const target = drag.current?.moved ? null : at(event);
    drag.current = null;
    if (target) props.onPick(target.id);
  };
  return (
    <div
      ref={both} className="stage" role="img" aria-label={`${props.name}, ${annotations.length} annotations`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, y: event.clientY, moved: false };
      }}
      onPointerMove={move} onPointerUp={up} onPointerCancel={() => (drag.current = null)}
      onPointerLeave={() => props.onHover(null)} onDoubleClick={() => setView(null)}
    >
      <canvas ref={canvas} style={{ width: spaceW, height: spaceH }} aria-hidden="true" />
      {failed ? <p className="stage-failed" role="alert">This image cannot be displayed. Run <code>calotype verify</code> to check its file.</p> : null}
    </div>
  );
}

type Loaded = { src: string; image: HTMLImageElement | null; failed: boolean };

/** The image once it has loaded, the small one until then. */
function useLoadedImage(src: string, early: string): { image: HTMLImageElement | null; failed: boolean } {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    let over = false;
    let isFull = false;
    const load = (url: string, full: boolean) => {
      const image = new Image();
      image.onload = () => {
        if (over || (isFull && !full)) return;
        isFull ||= full;
        setLoaded({ src, image, failed: false });
      };
      image.onerror = () => {
        if (!over && full) setLoaded((before) => ({ src, image: before?.src === src ? before.image : null, failed: true }));
      };
      image.src = url;
    };
    load(early, false);
    load(src, true);
    return () => {
      over = true;
    };
  }, [src, early]);
  return loaded?.src === src ? { image: loaded.image, failed: loaded.failed } : { image: null, failed: false };
}
