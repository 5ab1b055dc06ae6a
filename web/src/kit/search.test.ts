import { expect, test } from "vitest";
import { parseSearch, stringifySearch, text, whole } from "@/kit/search";

test("values survive a round trip, also when they look like numbers", () => {
  const search = { ref: "1e5", where: 'light = "night" and count(car) >= 3', at: 12, sort: undefined };
  expect(parseSearch(stringifySearch(search))).toEqual({ ref: "1e5", where: 'light = "night" and count(car) >= 3', at: "12" });
});

test("empty text is absent; numbers stay within their bounds", () => {
  expect([text({ a: "" }, "a"), text({ a: 5 }, "a"), text({}, "a")]).toEqual([undefined, "5", undefined]);
  expect([whole({ n: "5" }, "n", 96, 480), whole({ n: "-3" }, "n", 0, 9), whole({ n: "huge" }, "n", 0, 9)]).toEqual([96, 0, undefined]);
});
