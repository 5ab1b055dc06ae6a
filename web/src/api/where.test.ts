import { expect, test } from "vitest";
import { between, both, clauses, equals, nameable, ofClass, without } from "@/api/where";

test("values are quoted so that the grammar reads them back", () => {
  expect(ofClass('5" gun')).toBe('class = "5\\" gun"');
  expect([equals("light", "night"), equals("luma", 4.5), equals("wet", true), equals("split", "")]).toEqual([
    'light = "night"', "luma = 4.5", "wet = true", "split is missing",
  ]);
});

test("an added part holds beside what is there", () => {
  expect(both(undefined, "a = 1")).toBe("a = 1");
  expect(both("a = 1", "b = 2")).toBe("a = 1 and b = 2");
  expect(both("a = 1 or c = 3", "b = 2")).toBe("(a = 1 or c = 3) and b = 2");
  expect(both("a = 1 and b = 2", "b = 2")).toBe("a = 1 and b = 2");
});

test("words inside quotation marks and parentheses do not cut", () => {
  expect(clauses('name = "salt and pepper" and (a = 1 or b = 2)')).toEqual(['name = "salt and pepper"', "(a = 1 or b = 2)"]);
  expect(clauses("a = 1 or b = 2")).toEqual(["a = 1 or b = 2"]);
  expect(without("a = 1 and b = 2", "a = 1")).toBe("b = 2");
  expect(without("band = 1", "band = 1")).toBe("");
});

test("ranges and names", () => {
  expect(between("luma", 0, 10, false)).toBe("luma >= 0 and luma < 10");
  expect([nameable("captured_at"), nameable("two words"), nameable("count"), nameable("9x")]).toEqual([true, false, false, false]);
});
