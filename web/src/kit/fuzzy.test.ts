import { expect, test } from "vitest";
import { best, score } from "@/kit/fuzzy";

test("what holds the text comes before what holds its letters", () => {
  const ranked = best(["Run checks", "Change theme", "Checks", "Copy link"], "che", (x) => x);
  expect(ranked).toEqual(["Checks", "Run checks", "Change theme"]);
});

test("letters have to be there in order", () => {
  expect(score("samples", "slp")).toBeNull();
  expect(score("samples", "spl")).not.toBeNull();
  expect(best(["b", "a"], " ", (x) => x)).toEqual(["b", "a"]);
});
