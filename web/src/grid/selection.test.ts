import { expect, test } from "vitest";
import { everything, extend, has, NOTHING, single, size, toggle } from "@/grid/selection";

test("clicks add and take away", () => {
  const two = toggle(toggle(NOTHING, 5, "e"), 6, "f");
  expect(two.ranges).toEqual([[5, 7]]);
  expect([...two.seen]).toEqual([[5, "e"], [6, "f"]]);
  const one = toggle(two, 5);
  expect([one.ranges, [...one.seen], single(one)]).toEqual([[[6, 7]], [[6, "f"]], 6]);
  expect(single(two)).toBe(-1);
});

test("a range goes from the anchor to any index, in both directions, and is drawn again from there", () => {
  const far = extend(toggle(NOTHING, 10), 900_000, -1, "z");
  expect([far.ranges, size(far)]).toEqual([[[10, 900_001]], 899_991]);
  const back = extend(far, 4, -1, "a");
  expect(back.ranges).toEqual([[4, 11]]);
  expect([...back.seen]).toEqual([[4, "a"]]);
  expect(extend(NOTHING, 3, 1).ranges).toEqual([[1, 4]]);
  expect(extend(NOTHING, 3, -1).ranges).toEqual([[0, 4]]);
});

test("ranges join where they meet, and others stay", () => {
  const first = extend(toggle(NOTHING, 0), 3, -1);
  const both = extend(toggle(first, 10), 12, -1);
  expect(both.ranges).toEqual([[0, 4], [10, 13]]);
  expect(toggle(both, 4).ranges).toEqual([[0, 5], [10, 13]]);
  expect([0, 3, 4, 9, 10, 12, 13].map((index) => has(both, index))).toEqual([true, true, false, false, true, true, false]);
});

test("a hole in everything", () => {
  const all = everything(1_000_000);
  const holed = toggle(all, 500_000);
  expect(holed.ranges).toEqual([[0, 500_000], [500_001, 1_000_000]]);
  expect(size(holed)).toBe(999_999);
  expect(everything(0).ranges).toEqual([]);
});
