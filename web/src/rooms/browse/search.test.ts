import { expect, test } from "vitest";
import { parseSearch, stringifySearch } from "@/kit/search";
import { gridSearch, hiddenOf, hideText, sampleSearch, setsOf, setsText } from "./search";

test("the search of the grid survives a round trip through the address", () => {
  const search = gridSearch({ ref: "1e5", where: 'light = "night" and count(car) >= 3', at: 12 });
  expect(gridSearch(parseSearch(stringifySearch(search)))).toEqual(search);
  expect(search.ref).toBe("1e5");
});

test("numbers stay within their bounds and nonsense is dropped", () => {
  expect(gridSearch({ size: "5", at: "-3" })).toMatchObject({ size: 96, at: 0 });
  expect(gridSearch({ size: "huge" }).size).toBeUndefined();
  expect([sampleSearch({ from: "diff" }).from, sampleSearch({ from: "elsewhere" }).from]).toEqual(["diff", undefined]);
});

test("hidden classes", () => {
  expect(hideText(hiddenOf("7.1.x"))).toBe("1.7");
  expect(hideText(new Set())).toBeUndefined();
});

test("names of label sets come back from the address, whatever they hold", () => {
  const names = ["ground_truth", "model:v1, 100 %", "a,b"];
  expect([...setsOf(setsText(names))]).toEqual(names);
  expect([...setsOf("%")]).toEqual([]);
});
