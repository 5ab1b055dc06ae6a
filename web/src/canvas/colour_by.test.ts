import { expect, test } from "vitest";
import { classColour } from "@/canvas/colours";
import { colouring, legendOf, nameColour, NEUTRAL, SCALE, scoreColour } from "@/canvas/colour_by";
import { annotation } from "@/testing/records";

test("a score has a colour between the ends of the scale, none has a neutral one", () => {
  expect([scoreColour(0), scoreColour(0.5), scoreColour(1), scoreColour(7)]).toEqual([SCALE[0], SCALE[2], SCALE[4], SCALE[4]]);
  expect(scoreColour(0.125)).toBe("#9e3ecf");
  expect(scoreColour(null)).toBe(NEUTRAL);
});

test("annotations are coloured by what is asked for, by their class where nothing is", () => {
  const a = { ...annotation({ class_id: 3, score: 0 }), flagged: true };
  const by = (what: Parameters<typeof colouring>[0]) => colouring(what, "model:yolo")(a);
  expect(by(undefined)).toBe(classColour(3));
  expect(by("author")).toBe(nameColour("ana"));
  expect(by("score")).toBe(SCALE[0]);
  expect(by("set")).toBe(nameColour("model:yolo"));
  expect(by("finding")).not.toBe(colouring("finding", "")({ ...a, flagged: false }));
  expect(nameColour("")).toBe(NEUTRAL);
});

test("the legend has the colours that are drawn", () => {
  const a = { ...annotation(), author: "ben", flagged: true };
  for (const by of ["author", "finding", "set"] as const) {
    expect(legendOf(by, ["model:yolo", "ground_truth"], ["ana", "ben"]).map((one) => one.colour)).toContain(colouring(by, "ground_truth")(a));
  }
  expect(legendOf("author", [], ["", "ana"]).map((one) => one.name)).toEqual(["unknown", "ana"]);
});
