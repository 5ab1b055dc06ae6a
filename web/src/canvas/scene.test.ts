import { expect, test } from "vitest";
import { Scene } from "@/canvas/scene";
import { annotation } from "@/testing/records";

const big = annotation({ id: "big", bbox: [0, 0, 100, 100] });
const small = annotation({ id: "small", bbox: [10, 10, 20, 20] });
const lane = annotation({ id: "lane", kind: "polyline", bbox: [0, 0, 100, 100], rings: [[0, 0, 100, 100]] });
const words = annotation({ id: "words", kind: "caption", bbox: null });
const NONE = new Set<number>();

test("large shapes are drawn first, lines last, and what has no place is only counted", () => {
  const scene = new Scene([lane, small, big, words]);
  expect(scene.items.map((item) => item.a.id)).toEqual(["big", "small", "lane"]);
  expect(scene.within([95, 0, 99, 5]).map((item) => item.a.id)).toEqual(["big", "lane"]);
  expect(scene.total).toBe(4);
});

test("the smallest is hit, lines before all others", () => {
  const scene = new Scene([big, small, lane]);
  expect([scene.hit(12, 28, 2, NONE)?.id, scene.hit(80, 20, 2, NONE)?.id, scene.hit(15, 16, 2, NONE)?.id, scene.hit(300, 0, 2, NONE)]).toEqual(["small", "big", "lane", null]);
});

test("keypoints outside of their box are found where they are", () => {
  const person = annotation({ id: "p", kind: "keypoints", bbox: [10, 10, 5, 5], keypoints: [40, 40, 2, 90, 90, 0] });
  const scene = new Scene([person]);
  expect([scene.within([39, 39, 41, 41]).length, scene.within([89, 89, 91, 91]).length]).toEqual([1, 0]);
});

test("what differs from another scene is named by its places, if it is little", () => {
  const before = new Scene([big, small]);
  const moved = { ...small, bbox: [50, 50, 20, 20] as [number, number, number, number] };
  expect(new Scene([big, moved]).changesFrom(before, 4)).toEqual([[50, 50, 70, 70], [10, 10, 30, 30]]);
  expect(new Scene([big]).changesFrom(before, 4)).toEqual([[10, 10, 30, 30]]);
  expect(new Scene([moved, lane]).changesFrom(before, 1)).toBeNull();
  expect(new Scene([big, small]).changesFrom(before, 4)).toEqual([]);
});
