import { expect, test } from "vitest";
import { sampleDetail } from "@/testing/records";
import { describe as text, marksOf, otherAttributes } from "./annotation_text";

const [box] = Object.values(sampleDetail().label_sets).flat();
if (!box) throw new Error("the recorded sample has no annotation");

test("each kind is described in its own measure", () => {
  const rings = [[100, 100, 186.6, 150, 161.6, 193.3, 75, 143.3]];
  expect(text(box)).toBe("box 180\u00d7120");
  expect(text({ ...box, kind: "rotated_box", rings })).toBe("rotated box 100\u00d750 30\u00b0");
  expect(text({ ...box, kind: "ellipse", rings })).toBe("ellipse 100\u00d750 30\u00b0");
  expect(text({ ...box, kind: "polyline", rings: [[0, 0, 30, 40]] })).toBe("polyline 50 px");
  expect(text({ ...box, kind: "point", rings: [[1, 2]] })).toBe("point");
  expect(text({ ...box, kind: "point", rings: [[1, 2, 3, 4, 5, 6]] })).toBe("3 points");
  expect(text({ ...box, kind: "caption", bbox: null })).toBe("caption");
  expect(text({ ...box, kind: "classification", bbox: null })).toBe("whole image");
});

test("attributes that mean the same everywhere become marks, the others stay", () => {
  const attributes = { occluded: true, truncated: 0.25, difficult: false, track_id: 0, group_id: "a", text: "KD", colour: "red" };
  const a = { ...box, attributes };
  expect(marksOf(a)).toEqual(["occluded", "truncated 25 %", "track 0", "group a"]);
  expect(otherAttributes(a)).toEqual([["difficult", false], ["colour", "red"]]);
});
