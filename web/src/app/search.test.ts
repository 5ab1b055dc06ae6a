import { expect, test } from "vitest";
import { gridSearch, hiddenOf, hideText, parseSearch, stringifySearch } from "@/app/search";

test("a search comes back as it went, also when it looks like a number", () => {
  const search = gridSearch({ ref: "1e5", where: 'light = "night" and count(car) >= 3', at: 12 });
  const again = gridSearch(parseSearch(stringifySearch(search)));
  expect(again).toEqual(search);
  expect(again.ref).toBe("1e5");
});

test("numbers are kept within their bounds and nonsense is dropped", () => {
  expect(gridSearch({ size: "5", at: "-3" })).toMatchObject({ size: 96, at: 0 });
  expect(gridSearch({ size: "huge" }).size).toBeUndefined();
});

test("hidden classes", () => {
  expect(hideText(hiddenOf("7.1.x"))).toBe("1.7");
  expect(hideText(new Set())).toBeUndefined();
});
