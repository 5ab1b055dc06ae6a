import { expect, test } from "vitest";
import type { Overview } from "@/api/schema.gen";
import { asked, complete, completions, spot } from "./completions";

const data = {
  fields: [{ name: "light", type: "str", distinct: 2, missing: 0, histogram: null, top: [{ value: "day", count: 3 }, { value: "night", count: 1 }] }],
  classes: [{ id: 1, name: "traffic light", supercategory: "signals", keypoints: [], skeleton: [], annotations: 4, samples: 2 }],
  splits: [{ name: "train", samples: 4, annotations: 4 }], licences: [], sources: [], tags: [],
  label_sets: [{ name: "ground_truth", annotations: 3, kinds: { box: 1, rotated_box: 2 } }],
} as unknown as Overview;

const words = (text: string) => completions(text, text.length, data).map((word) => word.insert);

test("fields at the start and after and", () => {
  expect(words("li")).toEqual(["light", "licence"]);
  expect(words("")).toHaveLength(8);
  expect(words('split = "train" and li')).toContain("light");
});

test("values after a comparison, classes inside a count", () => {
  expect(words("light = ")).toEqual(['"day"', '"night"']);
  expect(words('light = "ni')).toEqual(['"night"']);
  expect(words("count(").slice(0, 3)).toEqual(['"traffic light"', "class", "kind"]);
  expect(words("count(tra")).toEqual(['"traffic light"']);
  expect(words("class = tra")).toEqual(['"traffic light"']);
  expect(words("any(kind = ro")).toEqual(["rotated_box"]);
});

test("values of a list, of checks, and those that the server adds", () => {
  const more = { values: [{ insert: '"dusk"', note: "2 samples" }, { insert: '"night"', note: "1 samples" }], checks: [{ insert: '"label-errors"', note: "Wrong classes" }] };
  const with_ = (text: string) => completions(text, text.length, data, more).map((word) => word.insert);
  expect(with_("light in (")).toEqual(['"day"', '"night"', '"dusk"']);
  expect(with_('light not in ("day", ')).toEqual(['"day"', '"night"', '"dusk"']);
  expect(with_('light = "us')).toEqual(['"dusk"']);
  expect(with_("finding = ")).toEqual(['"label-errors"']);
  expect(with_('finding = "lab')).toEqual(['"label-errors"']);
  expect(words("finding.severity = ")).toEqual(['"error"', '"warning"', '"info"']);
  expect(words("any(supercategory = ")).toEqual(['"signals"']);
  expect(words("any(iscrowd = ")).toEqual(["true", "false"]);
});

test("operators fit the field; and, or follow a value", () => {
  expect(words("light ")).toEqual(["=", "!=", "contains", "in (", "is missing", "is not missing"]);
  expect(words("width ")).toContain(">=");
  expect(words("tags ")).toEqual(["has"]);
  expect(words("finding ")).toContain("is missing");
  expect(words('split = "train" and width ')).toContain("<");
  expect(words("any(score ")).toContain("<");
  expect(words("count(car) ")).toEqual([">=", "=", "<="]);
  expect(words("light c")).toEqual(["contains"]);
  expect(words('light = "day" ')).toEqual(["and ", "or "]);
  expect(words("split = train ")).toEqual(["and ", "or "]);
  expect(words("unheard ")).toEqual([]);
});

test("inside a count the fields are those of annotations", () => {
  expect(words("any(sc")).toEqual(["score"]);
  expect(words('any(class = "traffic light" and ar')).toEqual(["area"]);
  expect(words("any(kind = box) and wi")).toEqual(["width"]);
  expect(words("any(light ")).toEqual([]);
});

test("the value that is asked for, and its field", () => {
  expect(asked('light = "ni', 11)).toEqual({ field: "light", typed: "ni" });
  expect(asked("tags has ", 9)).toEqual({ field: "tags", typed: "" });
  expect(asked('light in ("day", "du', 20)).toEqual({ field: "light", typed: "du" });
  expect(asked("light", 5)).toBeNull();
  expect(asked("not (", 5)).toBeNull();
});

test("nothing is offered where nothing can be known", () => {
  expect(words("count(car) >= ")).toEqual([]);
  expect(words("name = ")).toEqual([]);
});

test("a completed word replaces what was typed, with its quotation mark", () => {
  expect(spot('light = "ni', 11)).toMatchObject({ start: 8, typed: '"ni' });
  expect(complete('light = "ni', 11, { insert: '"night"' })).toEqual({ text: 'light = "night"', caret: 15 });
  expect(complete("li", 2, { insert: "light", tail: " " })).toEqual({ text: "light ", caret: 6 });
  expect(complete("li = 3", 2, { insert: "light", tail: " " })).toEqual({ text: "light = 3", caret: 5 });
});
