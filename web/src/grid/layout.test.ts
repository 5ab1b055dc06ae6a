import { expect, test } from "vitest";
import { aspectOf, centre, layout, PAD, reveal, rowTop, step, visibleRows } from "@/grid/layout";

const small = layout({ width: 1000, size: 200, aspect: 1.6, total: 65 });
const huge = layout({ width: 1000, size: 200, aspect: 1.6, total: 1_000_000 });

test("cells fill the width", () => {
  expect(small.columns).toBe(4);
  expect(small.columns * small.cellW).toBeLessThanOrEqual(1000 - 2 * PAD);
  expect(small.rows).toBe(17);
  expect(small.fullH).toBe(small.scrollH);
});

test("only rows near the screen are drawn", () => {
  const { first, last } = visibleRows(small, 0, 600);
  expect(first).toBe(0);
  expect(last).toBeLessThan(8);
  expect(visibleRows(layout({ width: 900, size: 200, aspect: 1, total: 0 }), 0, 600)).toEqual({ first: 0, last: -1 });
});

test("any index of a million can be reached and stands on the screen then", () => {
  expect(huge.fullH).toBeGreaterThan(huge.scrollH);
  for (const index of [0, 1, 123_456, 777_777, 999_999]) {
    const at = centre(huge, index, 700);
    const row = Math.floor(index / huge.columns);
    const { first, last } = visibleRows(huge, at, 700);
    expect(first <= row && row <= last).toBe(true);
    const top = rowTop(huge, row, at, 700) - at;
    expect(top).toBeGreaterThanOrEqual(-1);
    expect(top + huge.rowH).toBeLessThanOrEqual(700 + PAD + 1);
    expect(reveal(huge, index, at, 700)).toBeCloseTo(at, 3);
  }
});

test("keys move as on paper", () => {
  expect(step(small, 0, "ArrowRight", 65, 600)).toBe(1);
  expect(step(small, 2, "ArrowUp", 65, 600)).toBe(2);
  expect(step(small, 61, "ArrowDown", 65, 600)).toBe(64);
  expect(step(small, 64, "ArrowDown", 65, 600)).toBe(64);
  expect(step(small, 5, "End", 65, 600)).toBe(64);
  expect(step(small, 3, "ArrowLeft", 65, 600)).toBe(2);
});

test("cells take the shape of the images within reason", () => {
  expect([aspectOf([960, 600]), aspectOf([100, 900]), aspectOf(undefined)]).toEqual([1.6, 0.75, 4 / 3]);
});
