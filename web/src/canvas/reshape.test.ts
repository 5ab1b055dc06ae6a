import { expect, test } from "vitest";
import { handleAt, handlesOf, type Handle } from "@/canvas/handles";
import { boxBetween, dragged, moved, withoutVertex } from "@/canvas/reshape";
import { annotation } from "@/testing/records";

const IMAGE = { width: 100, height: 80 };
const box = annotation({ bbox: [10, 20, 30, 40] });
const polygon = annotation({ kind: "polygon", bbox: [0, 0, 10, 10], rings: [[0, 0, 10, 0, 10, 10, 0, 10]] });

test("a box is moved as far as the image goes", () => {
  expect(moved(box, 5, -5, IMAGE).bbox).toEqual([15, 15, 30, 40]);
  expect(moved(box, 500, 500, IMAGE).bbox).toEqual([70, 40, 30, 40]);
  expect(moved(polygon, 3, 4, IMAGE)).toMatchObject({ bbox: [3, 4, 10, 10], rings: [[3, 4, 13, 4, 13, 14, 3, 14]] });
});

test("a box has eight handles, and an edge does not pass the other", () => {
  const handles = handlesOf(box);
  expect(handles).toHaveLength(8);
  const left = handles.find((one) => one.what === "edge" && one.across === -1 && one.down === 0) as Handle;
  expect(dragged(box, left, 5, 0, IMAGE).bbox).toEqual([5, 20, 35, 40]);
  expect(dragged(box, left, 90, 0, IMAGE).bbox).toEqual([39, 20, 1, 40]);
  const corner = handles.find((one) => one.what === "edge" && one.across === 1 && one.down === 1) as Handle;
  expect(dragged(box, corner, 200, 70, IMAGE).bbox).toEqual([10, 20, 90, 50]);
});

test("vertices are moved, put in and taken out, and the box follows", () => {
  expect(dragged(polygon, { what: "vertex", ring: 0, at: 2, x: 10, y: 10 }, 20, 15, IMAGE)).toMatchObject({ bbox: [0, 0, 20, 15], rings: [[0, 0, 10, 0, 20, 15, 0, 10]] });
  expect(dragged(polygon, { what: "middle", ring: 0, at: 0, x: 5, y: 0 }, 5, 2, IMAGE).rings).toEqual([[0, 0, 5, 2, 10, 0, 10, 10, 0, 10]]);
  const triangle = withoutVertex(polygon, 0, 0);
  expect(triangle.rings).toEqual([[10, 0, 10, 10, 0, 10]]);
  expect(withoutVertex(triangle, 0, 0)).toBe(triangle);
});

test("a keypoint is moved and keeps its visibility; absent ones have no handle", () => {
  const person = annotation({ kind: "keypoints", bbox: null, keypoints: [0, 0, 0, 5, 6, 2, 9, 10, 1] });
  expect(handlesOf(person).map((one) => "at" in one && one.at)).toEqual([1, 2]);
  expect(dragged(person, { what: "keypoint", at: 1, x: 5, y: 6 }, 7.04, 8, IMAGE).keypoints).toEqual([0, 0, 0, 7, 8, 2, 9, 10, 1]);
});

test("a drawn box is inside the image and larger than a slip of the hand", () => {
  expect(boxBetween(50, 60, 10, 200, IMAGE)).toEqual([10, 60, 40, 20]);
  expect(boxBetween(5, 5, 5.4, 30, IMAGE)).toBeNull();
});

test("the nearest handle within reach is taken", () => {
  const handles = handlesOf(polygon);
  const view = { scale: 2, dx: 100, dy: 0 };
  const at = handleAt(handles, view, 121, 1, 8);
  expect(handles[at ?? -1]).toMatchObject({ what: "vertex", at: 1 });
  expect(handleAt(handles, view, 111, 10, 3)).toBeNull();
});
