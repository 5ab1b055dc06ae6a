import { expect, test } from "vitest";
import { lengthOf, rectOf } from "@/canvas/shapes";

test("four corners are a rectangle with its own sides and angle", () => {
  const rect = rectOf([6, 3, 6, 7, 4, 7, 4, 3]);
  expect(rect).toMatchObject({ x: 5, y: 5, w: 4, h: 2 });
  expect(rect?.angle).toBeCloseTo(Math.PI / 2);
  expect(rectOf([0, 0, 1, 1])).toBeNull();
});

test("the length of a line is that of its parts", () => {
  expect(lengthOf([[0, 0, 3, 4], [0, 0, 0, 2]])).toBe(7);
});
