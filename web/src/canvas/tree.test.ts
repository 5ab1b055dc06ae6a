import { expect, test } from "vitest";
import { Tree, type Corners } from "@/canvas/tree";

/** Numbers in [0, 1) that are the same in every run (Lehmer). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

test("a search answers what looking at every rectangle answers", () => {
  const next = numbers(7);
  const boxes = Array.from({ length: 3000 }, (): Corners => {
    const [x, y] = [next() * 1000, next() * 600];
    return [x, y, x + next() * 40, y + next() * 40];
  });
  const tree = new Tree(boxes);
  for (let n = 0; n < 50; n += 1) {
    const [x0, y0] = [next() * 1000, next() * 600];
    const [x1, y1] = [x0 + next() * 200, y0 + next() * 200];
    const expected = boxes.flatMap((b, at) => (b[0] <= x1 && b[2] >= x0 && b[1] <= y1 && b[3] >= y0 ? [at] : []));
    expect(tree.search(x0, y0, x1, y1).sort((a, b) => a - b)).toEqual(expected);
  }
});

test("no rectangles, one rectangle, touching edges", () => {
  expect(new Tree([]).search(-1e9, -1e9, 1e9, 1e9)).toEqual([]);
  const one = new Tree([[10, 10, 20, 20]]);
  expect([one.search(20, 20, 30, 30), one.search(20.1, 0, 30, 30)]).toEqual([[0], []]);
});
