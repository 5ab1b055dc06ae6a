import { expect, test } from "vitest";
import { covers, fills, imagePart, MARGIN, shifted, snapped, uncovered } from "@/canvas/raster";

const SIZE = { width: 100, height: 80, ratio: 1 };

test("views lie on whole pixels of the screen", () => {
  expect(snapped({ scale: 1, dx: 10.4, dy: -3.6 }, 1)).toEqual({ scale: 1, dx: 10, dy: -4 });
  expect(snapped({ scale: 1, dx: 10.4, dy: 0.8 }, 2)).toEqual({ scale: 1, dx: 10.5, dy: 1 });
});

test("a move uncovers strips that do not overlap", () => {
  expect(uncovered(SIZE, 0, 0)).toEqual([]);
  expect(uncovered(SIZE, 10, 0)).toEqual([{ x: 0, y: 0, w: 10, h: 80 }]);
  expect(uncovered(SIZE, -10, 5)).toEqual([{ x: 0, y: 0, w: 100, h: 5 }, { x: 90, y: 5, w: 10, h: 75 }]);
  const strips = uncovered(SIZE, 7, -9);
  expect(strips.reduce((sum, one) => sum + one.w * one.h, 0)).toBe(100 * 80 - 93 * 71);
});

test("a part of the screen is a part of the image", () => {
  expect(imagePart({ scale: 2, dx: 10, dy: 20 }, { x: 10, y: 20, w: 40, h: 20 }, { x: 2, y: 0 })).toEqual([-1, 0, 21, 10]);
});

test("a drawing covers what is zoomed into, not what is zoomed out of", () => {
  const image = { width: 1000, height: 1000 };
  const near = { scale: 2, dx: -400, dy: -400 };
  const far = { scale: 1, dx: -200, dy: -200 };
  expect([covers(far, near, SIZE, image), covers(near, far, SIZE, image)]).toEqual([true, false]);
  const whole = { scale: 0.08, dx: 10, dy: 0 };
  expect(covers(whole, { scale: 0.04, dx: 30, dy: 20 }, SIZE, image)).toBe(true);
});

test("a drawing with its margin fills its place until it is moved by more than that, or scaled", () => {
  const drawn = { scale: 1, dx: 0, dy: 0 };
  expect([fills(drawn, { scale: 1, dx: MARGIN, dy: -MARGIN }), fills(drawn, { scale: 1, dx: MARGIN + 1, dy: 0 }), fills(drawn, { scale: 1.1, dx: 0, dy: 0 })]).toEqual([true, false, false]);
  expect(shifted(drawn)).toEqual({ scale: 1, dx: MARGIN, dy: MARGIN });
});
