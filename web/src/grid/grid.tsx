import { IconCheck } from "@tabler/icons-react";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useMemo, useRef, type MouseEvent, type ReactNode } from "react";
import { CHOOSE_KEYS, EXTEND_KEYS, MOVES, MOVE_KEYS, OPEN_KEYS, type MoveKey } from "@/grid/keys";
import { GAP, layout, reveal, rowTop, step, visibleRows, xOf } from "@/grid/layout";
import { usePages, type PageQuery } from "@/grid/pages";
import { usePlace } from "@/grid/place";
import { Row } from "@/grid/row";
import { everything, extend, has, toggle, type Selection } from "@/grid/selection";
import { useCommands } from "@/kit/commands";
import "./grid.css";

/** Where and how large an item is drawn. */
export type Tile = { index: number; /** From the left edge of the row. */ x: number; width: number; height: number; isAt: boolean };

type Props<T> = {
  /** What is listed. */
  label: string;
  /** Names what is listed; the scroll position is remembered by it. */
  address: string;
  page: PageQuery<T>;
  /** Index that the keyboard is at; -1 for none. */
  current: number;
  selection: Selection;
  /** The first index in view as the address has it. */
  top: number | undefined;
  size: number;
  aspect: number;
  total: number;
  nameOf: (item: T) => string;
  draw: (item: T, tile: Tile) => ReactNode;
  onCurrent: (index: number) => void;
  onSelection: (next: Selection) => void;
  onTop: (index: number | undefined) => void;
  /** Receives what is drawn. */
  onItems?: (items: Iterable<T>) => void;
  onOpen: (item: T, index: number) => void;
};

const runs = <Prefix extends string>(prefix: Prefix, run: (key: MoveKey) => void) =>
  Object.fromEntries(MOVES.map((key) => [`${prefix}.${key}`, () => run(key)])) as Record<`${Prefix}.${MoveKey}`, () => void>;

const isMod = (event: MouseEvent) => event.metaKey || event.ctrlKey;

/** A list as images: draws what is near the screen, asks for the pages that it draws, goes to any index, and chooses any range. */
export function Grid<T extends { id: string }>(props: Props<T>) {
  const { label, address, page, current, selection, size, aspect, total, nameOf, draw, onCurrent, onSelection, onItems, onOpen } = props;
  const { ref: measure, width, height } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const both = useMergedRef(measure, scroller);
  const at = Math.min(current, total - 1);
  const place = useMemo(() => layout({ width, size, aspect, total }), [width, size, aspect, total]);
  const { view, ready, first: firstIndex, moveTo, onScroll } = usePlace({ scroller, address, place, width, height, at, top: props.top, onTop: props.onTop });
  const { first, last } = visibleRows(place, view.moved, height);
  const items = usePages(page, first * place.columns, Math.min(total, (last + 1) * place.columns));

  useEffect(() => onItems?.(items.values()), [items, onItems]);

  const move = (index: number) => {
    moveTo(reveal(place, index, view.moved, height));
    onCurrent(index);
  };
  const next = (key: MoveKey) => (at < 0 && key !== "End" ? Math.min(firstIndex, total - 1) : step(place, at, key, total, height));
  const open = (index: number) => {
    const item = items.get(index);
    if (item) onOpen(item, index);
  };
  const choose = (index: number, isRange: boolean) => {
    const id = items.get(index)?.id;
    onSelection(isRange ? extend(selection, index, at, id) : toggle(selection, index, id));
    if (index !== at) onCurrent(index);
  };
  /** A click follows the link, chooses with a modifier or on the tick. */
  const click = (event: MouseEvent) => {
    const target = event.target as HTMLElement;
    const index = Number(target.closest<HTMLElement>("[data-index]")?.dataset.index ?? -1);
    if (index < 0 || event.button !== 0 || event.altKey) return;
    event.preventDefault();
    if (event.shiftKey || isMod(event) || target.closest(".cell-tick")) {
      scroller.current?.focus({ preventScroll: true });
      choose(index, event.shiftKey);
    } else open(index);
  };
  useCommands(MOVE_KEYS, runs("grid", (key) => move(next(key))));
  useCommands(EXTEND_KEYS, runs("grid.extend", (key) => {
    const index = next(key);
    // A range continues where it ends; elsewhere the keyboard begins another one.
    const before = selection.lead === at ? selection : { ...selection, anchor: -1, lead: -1 };
    onSelection(extend(before, index, at < 0 ? index : at, items.get(index)?.id));
    move(index);
  }));
  useCommands(OPEN_KEYS, { "grid.open": () => at >= 0 && open(at) });
  useCommands(CHOOSE_KEYS, {
    "grid.toggle": () => choose(at < 0 ? Math.min(firstIndex, total - 1) : at, false),
    "grid.all": () => onSelection(everything(total)),
  });

  const isChoosing = selection.ranges.length > 0;
  const rows = [];
  for (let row = first; ready && row <= last; row += 1) {
    rows.push(
      <Row key={row} index={row} top={rowTop(place, row, view.top, view.moved)} width={xOf(place, place.columns) - GAP} imageH={place.imageH}>
        {Array.from({ length: Math.min(place.columns, total - row * place.columns) }, (_, column) => {
          const index = row * place.columns + column;
          const item = items.get(index);
          const isChosen = has(selection, index);
          return (
            <div
              key={index} id={`cell-${index}`} role="gridcell" aria-colindex={column + 1} aria-selected={isChoosing ? isChosen : index === at}
              data-index={index} data-chosen={isChosen} className="grid-cell" style={{ width: place.cellW }}
            >
              {item ? (
                <>
                  {draw(item, { index, x: xOf(place, column), width: place.cellW, height: place.imageH, isAt: index === at })}
                  <button type="button" tabIndex={-1} className="cell-tick" aria-pressed={isChosen} aria-label={`Select ${nameOf(item)}`} title="Select (Space); shift selects up to here">
                    <IconCheck size={13} stroke={3} />
                  </button>
                </>
              ) : (
                <span className="cell-waiting" style={{ height: place.imageH }} />
              )}
            </div>
          );
        })}
      </Row>,
    );
  }
  const isAtDrawn = at >= first * place.columns && at < (last + 1) * place.columns;
  return (
    <div className="grid-space">
      <div
        ref={both} className="grid-scroll" tabIndex={0} role="grid" aria-label={label} aria-multiselectable
        aria-activedescendant={isAtDrawn ? `cell-${at}` : undefined} aria-rowcount={place.rows} aria-colcount={place.columns} onScroll={onScroll}
      >
        <div
          style={{ height: place.scrollH, position: "relative" }} data-choosing={isChoosing} onClick={click}
          onMouseDown={(event) => (event.shiftKey || isMod(event)) && event.preventDefault()}
        >
          {rows}
        </div>
      </div>
    </div>
  );
}
