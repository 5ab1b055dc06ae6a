import { useDebouncedValue, useElementSize, useMergedRef } from "@mantine/hooks";
import { keepPreviousData, useQueries, type UseQueryOptions } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type MouseEvent } from "react";
import { PAGE } from "@/api/cache";
import type { GridSample, SamplePage } from "@/api/schema.gen";
import { Cell, type Look } from "@/grid/cell";
import { MOVES, MOVE_KEYS, OPEN_KEYS } from "@/grid/keys";
import { centre, firstSeen, layout, reveal, rowTop, step, toTop, visibleRows } from "@/grid/layout";
import { useCommands } from "@/kit/commands";
import "./grid.css";

/** The query of one page of samples, 100 a page. */
type PageQuery = (page: number) => UseQueryOptions<SamplePage, Error, SamplePage, readonly unknown[]>;

type Props = {
  dataset: string;
  /** Names what is listed; the scroll position is remembered by it. */
  address: string;
  page: PageQuery;
  /** Index of the selected sample; -1 for none. */
  selected: number;
  size: number;
  aspect: number;
  look: Look;
  total: number;
  href: (item: GridSample, index: number) => string;
  onSelect: (index: number) => void;
  onOpen: (item: GridSample, index: number) => void;
};

/** Scroll positions of grids that were left, by address. */
const places = new Map<string, number>();

/** Samples as images: draws what is near the screen, asks for the pages that it draws, goes to any index. */
export function Grid({ dataset, address, page, selected, size, aspect, look, total, href, onSelect, onOpen }: Props) {
  const { ref: measure, width, height } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const both = useMergedRef(measure, scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const place = useMemo(() => layout({ width, size, aspect, total }), [width, size, aspect, total]);
  const { first, last } = visibleRows(place, scrollTop, height);
  const items = usePages(page, first * place.columns, Math.min(total, (last + 1) * place.columns));
  const at = Math.min(selected, total - 1);
  const ready = width > 0 && height > 0;

  const scrollTo = (top: number) => {
    if (scroller.current) scroller.current.scrollTop = top;
    setScrollTop(scroller.current?.scrollTop ?? top);
  };
  // Once measured: where it was left, or at the sample of the address, which is centred again when panels beside the grid
  // arrive. After the first scrolling, a change of size keeps the first row.
  const anchor = useRef<{ address: string; index: number; centredAt: number | null } | null>(null);
  useLayoutEffect(() => {
    if (!ready) return;
    const before = anchor.current?.address === address ? anchor.current : null;
    const box = scroller.current;
    // The browser may have moved a place near the end already, as the content became shorter.
    const isCentred = box !== null && before !== null && before.centredAt !== null
      && Math.abs(box.scrollTop - Math.min(before.centredAt, box.scrollHeight - box.clientHeight)) < 2;
    const left = before ? undefined : places.get(address);
    if (!before || isCentred) {
      const top = left ?? (at > 0 ? centre(place, at, height) : 0);
      scrollTo(at >= 0 ? reveal(place, at, top, height) : top);
    } else if (before.index > 0) {
      scrollTo(toTop(place, before.index, height));
    }
    const centredAt = (!before || isCentred) && left === undefined && at > 0 ? (scroller.current?.scrollTop ?? null) : null;
    anchor.current = { address, index: before ? before.index : Math.max(at, 0), centredAt };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [ready, address, place.columns, place.rowH]);
  useEffect(() => {
    if (anchor.current) anchor.current.index = firstSeen(place, scrollTop, height);
    if (ready) places.set(address, scrollTop);
  });

  useEffect(() => {
    if (!ready || at < 0) return;
    const near = reveal(place, at, scrollTop, height);
    if (near !== scrollTop) scrollTo(Math.abs(near - scrollTop) > height ? centre(place, at, height) : near);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [at]);

  const move = (index: number) => {
    scrollTo(reveal(place, index, scrollTop, height));
    onSelect(index);
  };
  const open = (index: number) => {
    const item = items.get(index);
    if (item) onOpen(item, index);
  };
  const follow = (event: MouseEvent) => {
    const index = (event.target as HTMLElement).closest<HTMLElement>("a.cell")?.dataset.index;
    if (index === undefined || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(Number(index));
  };
  const moves = MOVES.map((key) => [
    `grid.${key}`, () => move(at < 0 && key !== "End" ? firstSeen(place, scrollTop, height) : step(place, at, key, total, height)),
  ]);
  useCommands(MOVE_KEYS, Object.fromEntries(moves) as Record<keyof typeof MOVE_KEYS, () => void>);
  useCommands(OPEN_KEYS, { "grid.open": () => at >= 0 && open(at) });

  const rows = [];
  for (let row = first; ready && row <= last; row += 1) {
    rows.push(
      <div key={row} role="row" aria-rowindex={row + 1} className="grid-row" style={{ top: rowTop(place, row, scrollTop, height) }}>
        {Array.from({ length: Math.min(place.columns, total - row * place.columns) }, (_, column) => {
          const index = row * place.columns + column;
          const item = items.get(index);
          return (
            <div key={index} id={`cell-${index}`} role="gridcell" aria-colindex={column + 1} aria-selected={index === at} style={{ width: place.cellW }}>
              {item ? (
                <Cell
                  dataset={dataset} item={item} index={index} href={href(item, index)} width={place.cellW} height={place.imageH}
                  isAt={index === at} look={look}
                />
              ) : (
                <span className="cell-waiting" style={{ height: place.imageH }} />
              )}
            </div>
          );
        })}
      </div>,
    );
  }
  return (
    <div className="grid-space">
      <div
        ref={both} className="grid-scroll" tabIndex={0} role="grid" aria-label="Samples"
        aria-activedescendant={at >= first * place.columns && at < (last + 1) * place.columns ? `cell-${at}` : undefined} aria-rowcount={place.rows} aria-colcount={place.columns} onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      >
        <div style={{ height: place.scrollH, position: "relative" }} onClick={follow}>{rows}</div>
      </div>
    </div>
  );
}

/** The samples between two indices that have arrived; pages are asked for when scrolling comes to rest on them. */
function usePages(query: PageQuery, from: number, to: number): Map<number, GridSample> {
  const [range] = useDebouncedValue(`${Math.floor(from / PAGE)} ${Math.floor(Math.max(0, to - 1) / PAGE)}`, 60);
  const [low = 0, high = 0] = range.split(" ").map(Number);
  const wanted = to > from ? Array.from({ length: Math.min(high - low + 1, 12) }, (_, n) => low + n) : [];
  return useQueries({
    queries: wanted.map((page) => ({ ...query(page), placeholderData: keepPreviousData })),
    combine: (pages) => {
      const items = new Map<number, GridSample>();
      for (const { data, isPlaceholderData } of pages) {
        if (data && !isPlaceholderData) data.items.forEach((item, n) => items.set(data.offset + n, item));
      }
      return items;
    },
  });
}
