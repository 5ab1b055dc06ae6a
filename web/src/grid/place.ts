import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import { centre, firstSeen, isScaled, mostMoved, reveal, shift, toTop, turned, unshift, type Layout } from "@/grid/layout";

type Props = {
  scroller: RefObject<HTMLDivElement | null>;
  /** Names what is listed; where it was left is remembered by it. */
  address: string;
  place: Layout;
  width: number;
  height: number;
  /** The index to keep in view; -1 for none. */
  at: number;
  /** The first index in view as the address has it. */
  top: number | undefined;
  onTop: (index: number | undefined) => void;
};

/** How far the rows of grids that were left had moved, by address. */
const places = new Map<string, number>();
const REST_MS = 250;

/**
 * Where a grid stands: `top` is the position of the scroll bar, `moved` how far the rows have moved, in pixels. They differ where the
 * rows are taller than a scroll bar can be; the wheel then moves the rows, and the scroll bar follows.
 */
export function usePlace({ scroller, address, place, width, height, at, top, onTop }: Props) {
  const [view, setView] = useState({ top: 0, moved: 0 });
  const ready = width > 0 && height > 0;
  const moveTo = (to: number) => {
    const moved = Math.min(Math.max(0, to), mostMoved(place, height));
    const wanted = unshift(place, moved, height);
    if (scroller.current) scroller.current.scrollTop = wanted;
    const now = scroller.current?.scrollTop ?? wanted;
    setView({ top: now, moved: isScaled(place) ? moved : now });
  };
  const onScroll = () => {
    const now = scroller.current?.scrollTop ?? 0;
    // The rows may stand between two positions of the scroll bar: its own rounding moves nothing.
    setView((before) => (isScaled(place) && Math.abs(now - before.top) < 1 ? before : { top: now, moved: shift(place, now, height) }));
  };

  // Once measured: the place of the address, or where it was left; a change of size keeps the first row.
  const anchor = useRef<{ address: string; index: number } | null>(null);
  useLayoutEffect(() => {
    if (!ready) return;
    if (anchor.current?.address !== address) {
      const left = places.get(address);
      if (top !== undefined) {
        moveTo(left !== undefined && firstSeen(place, left) === top ? left : toTop(place, top, height));
      } else {
        // The address holds the first row, so a place of its own begins with a whole row.
        const moved = left ?? (at > 0 ? toTop(place, firstSeen(place, centre(place, at, height)), height) : 0);
        moveTo(at >= 0 ? reveal(place, at, moved, height) : moved);
      }
    } else if (anchor.current.index > 0) {
      moveTo(toTop(place, anchor.current.index, height));
    }
    anchor.current = { address, index: anchor.current?.address === address ? anchor.current.index : (top ?? Math.max(at, 0)) };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [ready, address, place.columns, place.rowH]);
  const first = firstSeen(place, view.moved);
  useEffect(() => {
    if (anchor.current) anchor.current.index = first;
    if (ready) places.set(address, view.moved);
  });
  const latest = useRef(onTop);
  useEffect(() => {
    latest.current = onTop;
  });
  useEffect(() => {
    if (!ready || first === (top ?? 0)) return;
    const timer = setTimeout(() => latest.current(first || undefined), REST_MS);
    return () => clearTimeout(timer);
  }, [ready, address, first, top]);

  useEffect(() => {
    if (!ready || at < 0) return;
    const near = reveal(place, at, view.moved, height);
    if (near !== view.moved) moveTo(Math.abs(near - view.moved) > height ? centre(place, at, height) : near);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [at]);

  const turn = useRef((_event: WheelEvent) => {});
  useEffect(() => {
    turn.current = (event) => {
      if (event.ctrlKey || !isScaled(place)) return;
      event.preventDefault();
      moveTo(turned(place, view.moved, event, height));
    };
  });
  useEffect(() => {
    const element = scroller.current;
    const listen = (event: WheelEvent) => turn.current(event);
    element?.addEventListener("wheel", listen, { passive: false });
    return () => element?.removeEventListener("wheel", listen);
  }, [scroller]);
  return { view, ready, first, moveTo, onScroll };
}
