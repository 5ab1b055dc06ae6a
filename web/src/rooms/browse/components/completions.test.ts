import { expect, test } from "vitest";
import type { Overview } from "@/api/schema.gen";
import { complete, completions, spot } from "./completions";

const data = {
  fields: [{ name: "light", type: "str", distinct: 2, missing: 0, histogram: null, top: [{ value: "day", count: 3 }, { value: "night", count: 1 }] }],
  classes: [{ id: 1, name: "traffic light", supercategory: "", keypoints: [], skeleton: [], annotations: 4, samples: 2 }],
  splits: [{ name: "train", samples: 4, annotations: 4 }], licences: [], sources: [], tags: [],
  label_sets: [{ name: "ground_truth", annotations: 3, kinds: { box: 1, rotated_box: 2 } }],
} as unknown as Overview;

const words = (text: string) => completions(text, text.length, data).map((word) => word.insert);

test("fields at the start and after and", () => {
  expect(words("li")).toEqual(["light", "licence"]);
  expect(words('split = "train" and li')).toContain("light");
});

test("values after a comparison, classes inside a count", () => {
  expect(words("light = ")).toEqual(['"day"', '"night"']);
  expect(words('light = "ni')).toEqual(['"night"']);
  expect(words("count(")).toEqual(['"traffic light"']);
  expect(words("class = tra")).toEqual(['"traffic light"']);
  expect(words("any(kind = ro")).toEqual(["rotated_box"]);
});

test("nothing is offered where nothing can be known", () => {
  expect(words("count(car) >= ")).toEqual([]);
  expect(words("")).toEqual([]);
});

test("a completed word replaces what was typed, with its quotation mark", () => {
  expect(spot('light = "ni', 11)).toMatchObject({ start: 8, typed: '"ni' });
  expect(complete('light = "ni', 11, '"night"')).toEqual({ text: 'light = "night"', caret: 15 });
});
