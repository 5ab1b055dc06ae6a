import { expect, test } from "vitest";
import { replaced } from "./unknown_values";

test("the value is replaced where it stands, as it is written", () => {
  expect(replaced('light = "nigth" and name = "nigth"', { column: 1, value: "nigth" }, "night")).toBe('light = "night" and name = "nigth"');
  expect(replaced('name = "nigth" and light = "nigth"', { column: 20, value: "nigth" }, "night")).toBe('name = "nigth" and light = "night"');
  expect(replaced("light = nigth and x", { column: 1, value: "nigth" }, "night")).toBe('light = "night" and x');
  expect(replaced("light in (day,nigth)", { column: 1, value: "nigth" }, "night")).toBe('light in (day,"night")');
  expect(replaced("light = 'nigth'", { column: 1, value: "nigth" }, "ni\"ght")).toBe('light = "ni\\"ght"');
  expect(replaced("light=c++", { column: 1, value: "c++" }, "c")).toBe('light="c"');
});

test("characters outside of the basic plane count once", () => {
  expect(replaced('name = "\u{1F600}" and light = "nigth"', { column: 16, value: "nigth" }, "night")).toBe('name = "\u{1F600}" and light = "night"');
});
