import { expect, test } from "vitest";
import { levelOf, simplified, toleranceOf } from "@/canvas/simplify";

test("points on a line go, corners stay", () => {
  const square = [0, 0, 5, 0.1, 10, 0, 10, 5, 10, 10, 5, 10, 0, 10, 0, 5];
  expect(simplified(square, 0.5)).toEqual([0, 0, 10, 0, 10, 10, 0, 10, 0, 5]);
  expect(simplified(square, 0)).toBe(square);
});

test("a circle keeps its shape within the tolerance", () => {
  const circle = Array.from({ length: 400 }, (_, at) => [100 * Math.cos(at / 63.66), 100 * Math.sin(at / 63.66)]).flat();
  const few = simplified(circle, 1);
  expect(few.length).toBeLessThan(100);
  for (let at = 0; at < few.length; at += 2) expect(Math.hypot(few[at] ?? 0, few[at + 1] ?? 0)).toBeCloseTo(100);
});

test("nothing is simplified at 1:1, and at every scale less than a pixel is", () => {
  expect([levelOf(4), levelOf(1), toleranceOf(levelOf(1))]).toEqual([0, 0, 0]);
  for (const scale of [0.9, 0.5, 0.3, 0.1, 0.01]) expect(scale * toleranceOf(levelOf(scale))).toBeLessThanOrEqual(0.6);
});
