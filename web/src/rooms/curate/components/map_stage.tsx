import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState, type PointerEvent } from "react";
import { classColour } from "@/canvas/colours";
import { fit, zoomAt, type View } from "@/canvas/geometry";
import { Nearest, pixelOf, plot, radiusFor, thinned, type Cloud, type Corner } from "@/canvas/scatter";
import { useCommands } from "@/kit/commands";
import { MAP_KEYS } from "../keys";

const REACH_PX = 14;

type Props = {
  cloud: Cloud;
  lasso: readonly Corner[] | null;
  tool: "move" | "lasso";
  label: string;
  onTool: () => void;
  onLasso: (corners: Corner[] | null) => void;
  onGrid: () => void;
  /** Drop the query. */
  onAll: () => void;
  onHover: (index: number | null, at: { x: number; y: number }) => void;
  onOpen: (index: number) => void;
};

/** The points: drag to move, wheel to zoom, or draw a line around some of them. */
export function MapStage({ cloud, lasso, tool, label, onTool, onLasso, onGrid, onAll, onHover, onOpen }: Props) {
  const { ref, width, height } = useElementSize<HTMLCanvasElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const both = useMergedRef(ref, canvas);
  const [moved, setMoved] = useState<View | null>(null);
  const [line, setLine] = useState<readonly Corner[] | null>(null);
  const press = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const nearest = useMemo(() => new Nearest(cloud.places), [cloud.places]);
  const whole = useMemo<View>(() => {
    const all = fit(2, 2, Math.max(1, width), Math.max(1, height), 24);
    return { scale: all.scale, dx: all.dx + all.scale, dy: all.dy + all.scale };
  }, [width, height]);
  const view = moved ?? whole;
  const zoom = (factor: number, x = width / 2, y = height / 2) => setMoved(zoomAt(view, factor, x, y, whole.scale / 2, whole.scale * 400));
  useCommands(MAP_KEYS, {
    "map.lasso": onTool, "map.grid": onGrid, "map.all": onAll, "map.clear": () => onLasso(null),
    "map.fit": () => setMoved(null), "map.in": () => zoom(1.5), "map.out": () => zoom(1 / 1.5),
  });

  useEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, width, height, cloud, view, line ?? lasso);
  }, [cloud, view, width, height, lasso, line]);
  useEffect(() => {
    const element = canvas.current;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  });

  const place = (event: PointerEvent): Corner => {
    const box = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - box.left - view.dx) / view.scale, (event.clientY - box.top - view.dy) / view.scale];
  };
  const under = (event: PointerEvent): number | null => {
    const [x, y] = place(event);
    return nearest.to(x, y, REACH_PX / view.scale);
  };
  const move = (event: PointerEvent) => {
    const { current } = press;
    if (!current) return onHover(under(event), { x: event.clientX, y: event.clientY });
    const [dx, dy] = [event.clientX - current.x, event.clientY - current.y];
    if (!current.moved && Math.hypot(dx, dy) < 4) return;
    if (line) setLine([...line, place(event)]);
    else setMoved({ ...view, dx: view.dx + dx, dy: view.dy + dy });
    press.current = { x: event.clientX, y: event.clientY, moved: true };
  };
  const up = (event: PointerEvent) => {
    const { current } = press;
    press.current = null;
    if (line) {
      const corners = thinned(line, 4 / view.scale);
      setLine(null);
      if (current?.moved && corners.length >= 3) return onLasso(corners);
    }
    const index = current && !current.moved ? under(event) : null;
    if (index !== null) onOpen(index);
  };
  return (
    <canvas
      ref={both} className="map-stage" data-tool={tool} role="img" aria-label={label} tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        press.current = { x: event.clientX, y: event.clientY, moved: false };
        onHover(null, { x: 0, y: 0 });
        if (tool === "lasso" || event.shiftKey) setLine([place(event)]);
      }}
      onPointerMove={move} onPointerUp={up} onPointerLeave={() => onHover(null, { x: 0, y: 0 })}
    />
  );
}

const COLOURS = Array.from({ length: 21 }, (_, at) => pixelOf(at < 20 ? classColour(at) : "#8b959f"));

function draw(canvas: HTMLCanvasElement, width: number, height: number, cloud: Cloud, view: View, lasso: readonly Corner[] | null): void {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  const image = ctx.createImageData(w, h);
  const style = getComputedStyle(canvas);
  const faint = pixelOf(style.getPropertyValue("--line-strong").trim() || "#888888", 150);
  const sharp = { scale: view.scale * ratio, dx: view.dx * ratio, dy: view.dy * ratio };
  const seen = Math.max(1, cloud.numbers.length / Math.max(1, (view.scale / Math.min(width, height)) ** 2));
  plot(new Uint32Array(image.data.buffer), w, h, cloud, sharp, COLOURS, faint, radiusFor(Math.min(seen, cloud.numbers.length)) * ratio);
  ctx.putImageData(image, 0, 0);
  if (!lasso?.length) return;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.beginPath();
  lasso.forEach(([x, y], at) => (at ? ctx.lineTo(x * view.scale + view.dx, y * view.scale + view.dy) : ctx.moveTo(x * view.scale + view.dx, y * view.scale + view.dy)));
  ctx.closePath();
  ctx.fillStyle = style.getPropertyValue("--accent-soft");
  ctx.globalAlpha = 0.35;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = style.getPropertyValue("--accent");
  ctx.lineWidth = 1.5;
  ctx.stroke();
}
