/** Where the cells of a grid stand. All cells are equal, so that any index of a million is found by arithmetic. */
export type Layout = {
  columns: number;
  cellW: number;
  imageH: number;
  rowH: number;
  rows: number;
  /** Height of all rows, as if there were no limit. */
  fullH: number;
  /** Height that the scroll bar is given: browsers stop counting pixels between 17 and 33 million. */
  scrollH: number;
};

export const GAP = 10;
export const CAPTION = 22;
export const PAD = 14;
const TALLEST = 12_000_000;
const LINE = 40;

export function layout({ width, size, aspect, total }: { width: number; size: number; aspect: number; total: number }): Layout {
  const inner = Math.max(1, width - 2 * PAD);
  const columns = Math.max(1, Math.floor((inner + GAP) / (size + GAP)));
  const cellW = Math.floor((inner - GAP * (columns - 1)) / columns);
  const imageH = Math.round(cellW / aspect);
  const rowH = imageH + CAPTION + GAP;
  const rows = Math.ceil(total / columns);
  const fullH = rows * rowH + PAD * 2 - GAP;
  return { columns, cellW, imageH, rowH, rows, fullH, scrollH: Math.min(fullH, TALLEST) };
}

/** Where a column begins, from the left edge of the row. */
export const xOf = (at: Layout, column: number): number => column * (at.cellW + GAP);

/** How far the rows have moved for a scroll position; the same where all fits below the limit. */
export function shift(at: Layout, scrollTop: number, viewH: number): number {
  const room = at.scrollH - viewH;
  if (!isScaled(at) || room <= 0) return scrollTop;
  return (scrollTop / room) * (at.fullH - viewH);
}

/** The scroll position for rows moved so far. */
export function unshift(at: Layout, moved: number, viewH: number): number {
  const room = at.fullH - viewH;
  if (!isScaled(at) || room <= 0) return moved;
  return (moved / room) * (at.scrollH - viewH);
}

/** Whether a pixel of the scroll bar stands for more than one of the rows; a wheel must not turn by its pixels then. */
export const isScaled = (at: Layout): boolean => at.fullH > at.scrollH;

/** How far the rows can move. */
export const mostMoved = (at: Layout, viewH: number): number => Math.max(0, at.fullH - viewH);

/** How far the rows have moved after a turn of the wheel; its delta is in pixels, lines (1) or screens (2). */
export function turned(at: Layout, moved: number, wheel: { deltaY: number; deltaMode: number }, viewH: number): number {
  const unit = wheel.deltaMode === 1 ? LINE : wheel.deltaMode === 2 ? viewH : 1;
  return Math.min(mostMoved(at, viewH), Math.max(0, moved + wheel.deltaY * unit));
}

/** The rows to draw, a screen's half more on both sides. */
export function visibleRows(at: Layout, moved: number, viewH: number): { first: number; last: number } {
  const first = Math.max(0, Math.floor((moved - PAD - viewH / 2) / at.rowH));
  const last = Math.min(at.rows - 1, Math.ceil((moved - PAD + viewH * 1.5) / at.rowH));
  return { first, last: Math.max(first - 1, last) };
}

/** Where a row's top is inside the scrolled content. */
export function rowTop(at: Layout, row: number, scrollTop: number, moved: number): number {
  const own = PAD + row * at.rowH;
  return isScaled(at) ? scrollTop + own - moved : own;
}

/** How far the rows have to move to show an index: no further where it is in view already. */
export function reveal(at: Layout, index: number, moved: number, viewH: number): number {
  const top = PAD + Math.floor(index / at.columns) * at.rowH;
  if (top - PAD < moved) return Math.max(0, top - PAD);
  const bottom = top + at.rowH;
  return bottom > moved + viewH ? bottom - viewH : moved;
}

/** The first index in view. */
export function firstSeen(at: Layout, moved: number): number {
  return Math.max(0, Math.ceil((moved - PAD) / at.rowH)) * at.columns;
}

/** How far the rows move to put an index first. */
export function toTop(at: Layout, index: number, viewH: number): number {
  return Math.min(mostMoved(at, viewH), Math.floor(index / at.columns) * at.rowH);
}

/** How far the rows move to put an index in the middle. */
export function centre(at: Layout, index: number, viewH: number): number {
  const top = PAD + Math.floor(index / at.columns) * at.rowH;
  return Math.min(mostMoved(at, viewH), Math.max(0, top - (viewH - at.rowH) / 2));
}

/** The index that a key leads to. */
export function step(at: Layout, index: number, key: string, total: number, viewH: number): number {
  const screen = Math.max(1, Math.floor(viewH / at.rowH)) * at.columns;
  const by: Record<string, number> = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -at.columns, ArrowDown: at.columns, PageUp: -screen, PageDown: screen,
  };
  if (key === "Home") return 0;
  if (key === "End") return Math.max(0, total - 1);
  const next = index + (by[key] ?? 0);
  if (next < 0) return key === "ArrowUp" ? index : 0;
  if (next >= total) return key === "ArrowDown" ? lastBelow(at, index, total) : total - 1;
  return next;
}

function lastBelow(at: Layout, index: number, total: number): number {
  const isLastRow = Math.floor(index / at.columns) === Math.floor((total - 1) / at.columns);
  return isLastRow ? index : total - 1;
}

/** A cell's shape from the middle image of a dataset: never a strip. */
export function aspectOf(median: readonly [number, number] | undefined): number {
  if (!median || !median[1]) return 4 / 3;
  return Math.min(1.9, Math.max(0.75, median[0] / median[1]));
}
