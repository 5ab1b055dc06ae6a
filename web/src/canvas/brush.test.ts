import { expect, test } from "vitest";
import type { Mask } from "@/api/schema.gen";
import { painted, stepRadius } from "@/canvas/brush";
import { moved, withMask } from "@/canvas/reshape";
import { decode, encode, extentOf, pixelsOf, shifted } from "@/canvas/rle";
import { annotation } from "@/testing/records";

const SIZE: [number, number] = [40, 60];
const maskOf = (x: number, y: number, width: number, height: number): Mask =>
  ({ size: SIZE, counts: encode({ x, y, width, height, bits: new Uint8Array(width * height).fill(1) }, SIZE) });
const BLOCK = maskOf(10, 12, 6, 8);

test("a dab adds the pixels whose centre is within the radius, and the extent follows", () => {
  const dab = painted(BLOCK, { points: [30, 20], radius: 3, erase: false }) as Mask;
  expect(pixelsOf(dab)).toBe(48 + 32); // a disc of radius 3 about a corner of pixels
  expect(extentOf(dab)).toEqual({ x: 10, y: 12, width: 23, height: 11 });
});

test("a stroke is as wide as the brush all along, however far the hand went between two points", () => {
  const line = painted(BLOCK, { points: [13, 16, 50, 16], radius: 2, erase: false }) as Mask;
  const bitmap = decode(line);
  const column = (x: number) => Array.from({ length: 40 }, (_, y) => bitmap?.bits[(y - bitmap.y) * bitmap.width + x - bitmap.x] ?? 0).reduce((sum, bit) => sum + bit, 0);
  expect([25, 33, 48].map(column)).toEqual([4, 4, 4]);
});

test("what is painted and erased again is the mask as it was", () => {
  const dab = painted(BLOCK, { points: [30, 20], radius: 3, erase: false }) as Mask;
  expect(painted(dab, { points: [30, 20], radius: 3, erase: true })).toEqual(BLOCK);
});

test("a brush over an edge paints what is inside the image", () => {
  const dab = painted(BLOCK, { points: [59.5, -1], radius: 3, erase: false }) as Mask;
  expect(extentOf(dab)).toMatchObject({ x: 10, y: 0, width: 50 });
  expect(painted(BLOCK, { points: [500, 500], radius: 3, erase: false })).toBe(BLOCK);
});

test("a stroke that changes nothing is not an edit, and one that leaves nothing is not a mask", () => {
  expect(painted(BLOCK, { points: [13, 16], radius: 1, erase: false })).toBe(BLOCK);
  expect(painted(BLOCK, { points: [40, 30], radius: 2, erase: true })).toBe(BLOCK);
  expect(painted(BLOCK, { points: [13, 16], radius: 20, erase: true })).toBeNull();
});

test("a mask is moved by whole pixels, as far as the image goes, and back", () => {
  const there = shifted(BLOCK, 7, -5);
  expect([extentOf(there), pixelsOf(there)]).toEqual([{ x: 17, y: 7, width: 6, height: 8 }, 48]);
  expect(shifted(there, -7, 5)).toEqual(BLOCK);
  expect(extentOf(shifted(BLOCK, 500, 500))).toMatchObject({ x: 54, y: 32 });
  expect(shifted(BLOCK, 0.2, 0.2)).toBe(BLOCK);
  const column = maskOf(3, 0, 2, 40);
  expect(extentOf(shifted(column, 4, 9))).toEqual({ x: 7, y: 0, width: 2, height: 40 });
});

test("the box of an annotation follows its mask", () => {
  const a = annotation({ kind: "mask", bbox: [10, 12, 6, 8], mask: BLOCK });
  expect(moved(a, 4, 3, { width: 60, height: 40 }).bbox).toEqual([14, 15, 6, 8]);
  expect(withMask(a, maskOf(1, 2, 3, 4)).bbox).toEqual([1, 2, 3, 4]);
});

test("a brush gets thicker and thinner between a pixel and two hundred", () => {
  expect([stepRadius(1, -1), stepRadius(1, 1), stepRadius(12, 1), stepRadius(200, 1)]).toEqual([1, 2, 15, 200]);
});
