import { expect, test } from "vitest";
import { cornersOf, cornersText, countInside, FAINT, Nearest, pixelOf, plot, thinned } from "./scatter";

const VIEW = { scale: 10, dx: 20, dy: 20 };
const cloud = (...points: [number, number, number][]) => ({
  places: new Float32Array(points.flatMap(([x, y]) => [x, y])), numbers: new Uint8Array(points.map((point) => point[2])),
});

test("points are drawn in their colours, faint ones below", () => {
  const pixels = new Uint32Array(40 * 40);
  plot(pixels, 40, 40, cloud([0, 0, 1], [0, 0, FAINT], [1, 0, 0]), VIEW, [7, 8], 3, 0.5);
  expect(pixels[20 * 40 + 20]).toBe(8);
  expect(pixels[20 * 40 + 30]).toBe(7);
  expect(pixels.filter((pixel) => pixel !== 0).length).toBe(2);
});

test("points outside of the image are left out", () => {
  const pixels = new Uint32Array(40 * 40);
  plot(pixels, 40, 40, cloud([9, 9, 0], [-9, 0, 0]), VIEW, [7], 3, 2);
  expect(pixels.every((pixel) => pixel === 0)).toBe(true);
});

test("a larger radius draws a disc", () => {
  const pixels = new Uint32Array(40 * 40);
  plot(pixels, 40, 40, cloud([0, 0, 0]), VIEW, [7], 3, 2.75);
  expect(pixels.filter(Boolean).length).toBeGreaterThan(20);
  expect(pixels[(20 - 4) * 40 + 20]).toBe(0);
});

test("a colour is a pixel with red in the lowest byte", () => {
  expect(pixelOf("#010203")).toBe(0xff030201);
});

test("the nearest of many points is that of the arithmetic", () => {
  const random = (seed: number) => () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 1073741824) - 1;
  const next = random(7);
  const places = Float32Array.from({ length: 2 * 3_000 }, next);
  const nearest = new Nearest(places);
  for (let n = 0; n < 200; n += 1) {
    const [x, y] = [next(), next()];
    const found = nearest.to(x, y, 0.05);
    const distances = Array.from({ length: 3_000 }, (_, at) => Math.hypot((places[2 * at] ?? 0) - x, (places[2 * at + 1] ?? 0) - y));
    const least = Math.min(...distances);
    if (least > 0.05) expect(found).toBeNull();
    else expect(distances[found ?? -1]).toBeCloseTo(least, 6);
  }
});

test("a polygon counts what is inside and not faint", () => {
  const square = [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]] as const;
  expect(countInside(cloud([0, 0, 0], [0.2, 0.3, 1], [0.1, 0, FAINT], [0.9, 0, 0]), square)).toBe(2);
});

test("corners survive an address, and a long line is thinned", () => {
  const line = Array.from({ length: 5_000 }, (_, at) => [Math.cos(at / 800), Math.sin(at / 800)] as const);
  const few = thinned(line, 0.005);
  expect(few.length).toBeLessThanOrEqual(200);
  expect(cornersOf(cornersText(few))?.length).toBe(few.length);
  expect(cornersOf("0,0;1,1")).toBeNull();
  expect(cornersOf("0,0;1,1;x,2")).toBeNull();
  expect(cornersOf(undefined)).toBeNull();
});
