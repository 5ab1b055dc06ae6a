import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDebouncedValue, useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type MouseEvent } from "react";
import * as queries from "@/api/queries";
import type { SampleItem } from "@/api/types";
import { useCommands } from "@/app/commands";
import type { GridSearch } from "@/app/search";
import { Cell, type Look } from "@/grid/cell";
import { centre, firstSeen, layout, reveal, rowTop, step, toTop, visibleRows } from "@/grid/layout";
import "./grid.css";

type Props = {
  dataset: string;
  refName: string;
  search: GridSearch;
  size: number;
  aspect: number;
  look: Look;
  total: number;
};

/** Where the grid stood when it was left, by address. */
const places = new Map<string, number>();

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"] as const;
const WORDS: Record<(typeof KEYS)[number], string> = {
  ArrowLeft: "Sample to the left", ArrowRight: "Sample to the right", ArrowUp: "Sample above", ArrowDown: "Sample below",
  PageUp: "Screen up", PageDown: "Screen down", Home: "First sample", End: "Last sample",
};

/** Samples as pictures: draws what is near the screen, asks for the pages that it draws, goes to any index. */
export function Grid({ dataset, refName, search, size, aspect, look, total }: Props) {
  const { ref: measure, width, height } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const both = useMergedRef(measure, scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const navigate = useNavigate();
  const place = useMemo(() => layout({ width, size, aspect, total }), [width, size, aspect, total]);
  const { first, last } = visibleRows(place, scrollTop, height);
  const items = usePages(dataset, refName, search, first * place.columns, Math.min(total, (last + 1) * place.columns));
  const at = Math.min(search.at ?? -1, total - 1);
  const address = `${dataset} ${refName} ${search.where ?? ""} ${search.sort ?? ""}`;
  const ready = width > 0 && height > 0;

  const scrollTo = (top: number) => {
    if (scroller.current) scroller.current.scrollTop = top;
    setScrollTop(scroller.current?.scrollTop ?? top);
  };
  // Once measured: where it was left, or at the sample of the address; a change of size keeps the first row.
  const anchor = useRef<{ address: string; index: number } | null>(null);
  useLayoutEffect(() => {
    if (!ready) return;
    if (anchor.current?.address !== address) {
      const left = places.get(address);
      const top = left ?? (at > 0 ? centre(place, at, height) : 0);
      scrollTo(at >= 0 ? reveal(place, at, top, height) : top);
    } else if (anchor.current.index > 0) {
      scrollTo(toTop(place, anchor.current.index, height));
    }
    anchor.current = { address, index: anchor.current?.address === address ? anchor.current.index : Math.max(at, 0) };
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
    void navigate({ to: ".", replace: true, search: (before: GridSearch) => ({ ...before, at: index }) } as never);
  };
  const open = (index: number) => {
    const item = items.get(index);
    if (item) void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: item.id }, search: { ...search, at: index } });
  };
  const follow = (event: MouseEvent) => {
    const index = (event.target as HTMLElement).closest<HTMLElement>("a.cell")?.dataset.index;
    if (index === undefined || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(Number(index));
  };
  useCommands([
    ...KEYS.map((key) => ({
      id: `grid.${key}`, title: WORDS[key], group: "Grid", keys: [key], quiet: true,
      run: () => move(at < 0 && key !== "End" ? firstSeen(place, scrollTop, height) : step(place, at, key, total, height)),
    })),
    { id: "grid.open", title: "Open the sample", group: "Grid", keys: ["Enter"], quiet: true, run: () => at >= 0 && open(at) },
  ]);

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
                  item={item} index={index} dataset={dataset} search={search} width={place.cellW} height={place.imageH}
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
function usePages(dataset: string, refName: string, search: GridSearch, from: number, to: number): Map<number, SampleItem> {
  const [range] = useDebouncedValue(`${Math.floor(from / queries.PAGE)} ${Math.floor(Math.max(0, to - 1) / queries.PAGE)}`, 60);
  const [low = 0, high = 0] = range.split(" ").map(Number);
  const wanted = to > from ? Array.from({ length: Math.min(high - low + 1, 12) }, (_, n) => low + n) : [];
  return useQueries({
    queries: wanted.map((page) => ({ ...queries.samplePage(dataset, refName, search, page), placeholderData: keepPreviousData })),
    combine: (found) => {
      const items = new Map<number, SampleItem>();
      for (const { data, isPlaceholderData } of found) {
        if (data && !isPlaceholderData) data.items.forEach((item, n) => items.set(data.offset + n, item));
      }
      return items;
    },
  });
}
