import { createContext, useContext, useEffect, useMemo, useRef, type ReactNode } from "react";
import { sized } from "@/canvas/draw";

/** Where the annotations of a row are drawn: one canvas, as each is a layer of the page and a screen of cells would be a hundred. */
type Board = { draw: (x: number, width: number, paint: (ctx: CanvasRenderingContext2D) => void) => void; clear: (x: number, width: number) => void };

const BoardContext = createContext<Board | null>(null);

type Props = { index: number; top: number; width: number; imageH: number; children: ReactNode };

/** One row of the grid. */
export function Row({ index, top, width, imageH, children }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // Another size is another board, on which everything is drawn again.
  const board = useMemo(() => boardOn(canvas, width, imageH), [width, imageH]);
  return (
    <div role="row" aria-rowindex={index + 1} className="grid-row" style={{ top }}>
      <BoardContext.Provider value={board}>{children}</BoardContext.Provider>
      <canvas ref={canvas} className="row-board" style={{ width, height: imageH }} aria-hidden="true" />
    </div>
  );
}

/** Paint a part of the row's images: from `x`, `width` wide, in CSS pixels; again whenever one of them or `paint` changes. */
export function useBoard(x: number, width: number, paint: (ctx: CanvasRenderingContext2D) => void): void {
  const board = useContext(BoardContext);
  useEffect(() => {
    board?.draw(x, width, paint);
    return () => board?.clear(x, width);
  }, [board, x, width, paint]);
}

const CORNER = 5;

function boardOn(place: { current: HTMLCanvasElement | null }, width: number, height: number): Board {
  const inPart = (x: number, partW: number, work: (ctx: CanvasRenderingContext2D) => void) => {
    const ctx = place.current ? sized(place.current, width, height) : null;
    if (!ctx) return;
    const { a: ratio } = ctx.getTransform();
    ctx.save();
    ctx.translate(Math.round(x * ratio) / ratio, 0);
    ctx.clearRect(0, 0, partW, height);
    work(ctx);
    ctx.restore();
  };
  return {
    draw: (x, partW, paint) => inPart(x, partW, (ctx) => {
      ctx.beginPath();
      ctx.roundRect(0, 0, partW, height, CORNER);
      ctx.clip();
      paint(ctx);
    }),
    clear: (x, partW) => inPart(x, partW, () => {}),
  };
}
