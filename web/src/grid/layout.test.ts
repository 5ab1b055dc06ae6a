import { expect, test } from "vitest";
import { aspectOf, centre, firstSeen, layout, PAD, reveal, rowTop, shift, step, toTop, turned, unshift, visibleRows } from "@/grid/layout";

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
    const top = rowTop(huge, row, unshift(huge, at, 700), at) - unshift(huge, at, 700);
    expect(top).toBeGreaterThanOrEqual(-1);
    expect(top + huge.rowH).toBeLessThanOrEqual(700 + PAD + 1);
    expect(reveal(huge, index, at, 700)).toBeCloseTo(at, 3);
    expect(shift(huge, unshift(huge, at, 700), 700)).toBeCloseTo(at, 3);
  }
});

test("a notch of the wheel moves by pixels of the rows at any size, and stops at the ends", () => {
  const tall = layout({ width: 400, size: 300, aspect: 1, total: 1_000_000 });
  expect(tall.fullH / tall.scrollH).toBeGreaterThan(20);
  for (const start of [0, 5_000_000, tall.fullH - 1_000]) {
    expect(turned(tall, start, { deltaY: 100, deltaMode: 0 }, 700) - start).toBe(100);
  }
  expect(turned(tall, 1_000, { deltaY: 3, deltaMode: 1 }, 700)).toBe(1_120);
  expect(turned(tall, 40, { deltaY: -100, deltaMode: 0 }, 700)).toBe(0);
  expect(turned(tall, tall.fullH, { deltaY: 100, deltaMode: 0 }, 700)).toBe(tall.fullH - 700);
});

test("the first index in view leads back to where it is first", () => {
  for (const index of [0, 400, 500_000, 999_000]) {
    const row = Math.floor(index / huge.columns) * huge.columns;
    expect(firstSeen(huge, toTop(huge, index, 700))).toBe(row);
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
