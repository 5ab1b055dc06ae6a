import { expect, test } from "vitest";
import type { Annotation } from "@/api/schema.gen";
import { boxOf, fit, hit, inRings, zoomAt } from "@/canvas/geometry";

const annotation = (id: string, more: Partial<Annotation>): Annotation => ({
  id, kind: "box", class: "car", class_id: 1, bbox: null, rings: [], keypoints: [], mask: null, score: null, iscrowd: false, author: "", text: null, ...more,
});

test("a fitted image is whole and in the middle", () => {
  expect(fit(200, 100, 400, 400)).toEqual({ scale: 2, dx: 0, dy: 100 });
});

test("zooming keeps the point under the pointer", () => {
  const after = zoomAt({ scale: 1, dx: 10, dy: 20 }, 2, 110, 70, 0.1, 50);
  expect([(110 - after.dx) / after.scale, (70 - after.dy) / after.scale]).toEqual([100, 50]);
});

test("the smallest annotation under the pointer is hit, holes are not", () => {
  const big = annotation("big", { bbox: [0, 0, 100, 100] });
  const small = annotation("small", { bbox: [10, 10, 20, 20] });
  expect(hit([small, big], 15, 15, 0)?.id).toBe("small");
  expect(hit([small, big], 50, 50, 0)?.id).toBe("big");
  expect(hit([small], 90, 90, 0)).toBeNull();
  const holed = [[0, 0, 90, 0, 90, 90, 0, 90], [30, 30, 60, 30, 60, 60, 30, 60]];
  expect([inRings(holed, 10, 10), inRings(holed, 45, 45)]).toEqual([true, false]);
});

test("keypoints that are not there do not widen the box", () => {
  expect(boxOf(annotation("p", { keypoints: [0, 0, 0, 5, 6, 2, 9, 10, 1] }))).toEqual({ x: 5, y: 6, w: 4, h: 4 });
});

test("a rotated box and an ellipse are hit inside themselves, not in the corners of the box around them", () => {
  const diamond = [50, 0, 100, 50, 50, 100, 0, 50];
  const turned = annotation("turned", { kind: "rotated_box", bbox: [0, 0, 100, 100], rings: [diamond] });
  const round = annotation("round", { kind: "ellipse", bbox: [15, 15, 70, 70], rings: [diamond] });
  expect(hit([turned], 50, 50, 2)?.id).toBe("turned");
  expect(hit([turned], 8, 8, 2)).toBeNull();
  expect(hit([round], 25, 50, 2)?.id).toBe("round");
  expect(hit([round], 19, 19, 2)).toBeNull();
});

test("lines and points are hit near themselves, before what lies below them", () => {
  const field = annotation("field", { bbox: [0, 0, 100, 100] });
  const lane = annotation("lane", { kind: "polyline", bbox: [0, 0, 100, 100], rings: [[0, 0, 100, 100]] });
  const seed = annotation("seed", { kind: "point", bbox: [20, 80, 0, 0], rings: [[20, 80]] });
  expect(hit([field, lane, seed], 50, 53, 4)?.id).toBe("lane");
  expect(hit([field, lane, seed], 90, 20, 4)?.id).toBe("field");
  expect(hit([field, lane, seed], 22, 79, 4)?.id).toBe("seed");
});
