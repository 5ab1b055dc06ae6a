import { expect, test } from "vitest";
import type { Annotation } from "@/api/schema.gen";
import { Drawing, type At, type Drawable, type Paper } from "@/canvas/drawing";
import { filled, withHole } from "@/canvas/filled";
import { pixelsOf } from "@/canvas/rle";
import { Scene } from "@/canvas/scene";
import { rectOf } from "@/canvas/shapes";
import { snapped } from "@/canvas/snap";
import { unturned, type Turn } from "@/canvas/view_turn";

const drawing = (what: Drawable, more: Partial<Paper> = {}) =>
  new Drawing(() => ({ what, classId: 3, image: { width: 100, height: 80 }, scale: 1, joints: 3, snap: (at) => at, ...more }));
const at = (x: number, y: number): At => ({ x, y });
const polygon = (id: string, ring: number[]): Annotation => ({
  id, kind: "polygon", class: "", class_id: 1, bbox: null, rings: [ring], keypoints: [], mask: null, score: null, iscrowd: false, author: "", text: null,
});

test("a box is drawn by a drag, or by two presses", () => {
  const dragged = drawing("box");
  dragged.press(at(10, 10));
  dragged.drag(at(30, 40));
  expect(dragged.draft()?.bbox).toEqual([10, 10, 20, 30]);
  expect(dragged.release(at(30, 40), true)).toMatchObject({ kind: "box", class_id: 3, bbox: [10, 10, 20, 30] });
  const pressed = drawing("box");
  expect(pressed.press(at(30, 40))).toBeNull();
  expect(pressed.release(at(30, 40), false)).toBeNull();
  expect(pressed.press(at(10, 10))?.bbox).toEqual([10, 10, 20, 30]);
  expect(pressed.isBegun).toBe(false);
});

test("a polygon ends at its start, or when it is said to; a point is taken back", () => {
  const one = drawing("polygon");
  for (const [x, y] of [[10, 10], [60, 10], [60, 50], [70, 70]] as const) one.press(at(x, y));
  expect(one.back()).toBe(true);
  expect(one.press(at(13, 12))?.rings).toEqual([[10, 10, 60, 10, 60, 50]]);
  one.press(at(1, 1));
  one.press(at(9, 1));
  expect(one.finish()).toBeNull();
  one.press(at(9, 9));
  expect(one.finish()?.rings).toEqual([[1, 1, 9, 1, 9, 9]]);
});

test("a free line becomes few points, and a loop closes itself", () => {
  const one = drawing("polygon");
  one.press(at(10, 10));
  const path = [...Array.from({ length: 20 }, (_, n) => at(10 + 2 * n, 10)), ...Array.from({ length: 20 }, (_, n) => at(50, 10 + 2 * n)), ...Array.from({ length: 40 }, (_, n) => at(50 - n, 50 - n))];
  for (const place of path) one.drag(place);
  const shape = one.release(at(12, 12), true);
  expect(shape?.kind).toBe("polygon");
  expect((shape?.rings[0]?.length ?? 0) / 2).toBeLessThan(6);
});

test("a line ends where its last point is pressed again", () => {
  const one = drawing("polyline");
  one.press(at(0, 0));
  one.press(at(20, 0));
  expect(one.press(at(21, 1))).toMatchObject({ kind: "polyline", rings: [[0, 0, 20, 0]] });
});

test("a rotated box is its first side and its depth, on either side of it", () => {
  for (const depth of [30, -30]) {
    const one = drawing("rotated_box");
    one.press(at(20, 40));
    one.release(at(60, 40), true);
    const rect = rectOf(one.press(at(50, 40 + depth))?.rings[0]);
    expect(rect).toMatchObject({ w: 40, h: 30, x: 40, y: 40 + depth / 2 });
    expect(Math.abs(Math.sin(rect?.angle ?? 1))).toBeCloseTo(0);
  }
});

test("joints are placed in order: seen, hidden, left out", () => {
  const one = drawing("keypoints");
  one.press(at(1, 2));
  one.joint(1);
  expect(one.placed).toBe(1);
  one.joint(0);
  expect(one.press(at(5, 6))).toMatchObject({ kind: "keypoints", keypoints: [1, 2, 1, 0, 0, 0, 5, 6, 2] });
  one.press(at(3, 3));
  expect(one.finish()?.keypoints).toEqual([3, 3, 2, 0, 0, 0, 0, 0, 0]);
});

test("a point, an ellipse, and a ruler that leaves nothing", () => {
  expect(drawing("point").press(at(4, 5))?.rings).toEqual([[4, 5]]);
  const ellipse = drawing("ellipse");
  ellipse.press(at(10, 10));
  expect(ellipse.release(at(50, 30), true)).toMatchObject({ kind: "ellipse", bbox: [10, 10, 40, 20] });
  const ruler = drawing("ruler");
  ruler.press(at(0, 0));
  expect(ruler.release(at(30, 40), true)).toBeNull();
  ruler.hover(at(99, 9));
  expect(ruler.draft()?.rings).toEqual([[0, 0, 30, 40]]);
});

test("places outside of the image are moved to its edge", () => {
  expect(drawing("point").press(at(-5, 200))?.rings).toEqual([[0, 80]]);
});

test("new points are drawn to the outlines of neighbours: vertices before sides", () => {
  const scene = new Scene([polygon("a", [10, 10, 50, 10, 50, 50, 10, 50])]);
  expect(snapped(scene, at(49, 12), 8, null)).toEqual(at(50, 10));
  expect(snapped(scene, at(30, 13), 8, null)).toEqual(at(30, 10));
  expect(snapped(scene, at(30, 30), 8, null)).toEqual(at(30, 30));
  expect(snapped(scene, at(30, 13), 8, "a")).toEqual(at(30, 13));
});

test("an outline with a hole becomes a mask of the pixels that are left", () => {
  const square = polygon("a", [10, 10, 50, 10, 50, 50, 10, 50]);
  expect(pixelsOf(filled(square.rings, [80, 100]) ?? { size: [0, 0], counts: "" })).toBe(1600);
  const holed = withHole(square, [20, 20, 30, 20, 30, 30, 20, 30], [80, 100]);
  expect(holed?.kind).toBe("mask");
  expect(pixelsOf(holed?.mask ?? { size: [0, 0], counts: "" })).toBe(1500);
  expect(withHole(square, [0, 0, 99, 0, 99, 79, 0, 79], [80, 100])).toBeNull();
  expect(withHole({ ...square, kind: "point", rings: [[1, 1]] }, [0, 0, 9, 0, 9, 9], [80, 100])?.kind).toBe("point");
});

test("a place in a turned window is where it is in the image behind it", () => {
  const [width, height] = [300, 200];
  const seen = (turn: Turn) => unturned(30, 20, width, height, turn);
  expect([seen(0), seen(90), seen(180), seen(270)]).toEqual([at(30, 20), at(20, 270), at(270, 180), at(180, 30)]);
});

test("what is of a higher level is hit first", () => {
  const [small, large] = [polygon("small", [20, 20, 30, 20, 30, 30, 20, 30]), polygon("large", [0, 0, 60, 0, 60, 60, 0, 60])];
  expect(new Scene([small, large]).hit(25, 25, 1, new Set())?.id).toBe("small");
  expect(new Scene([small, large], (a) => (a.id === "large" ? 1 : 0)).hit(25, 25, 1, new Set())?.id).toBe("large");
});
