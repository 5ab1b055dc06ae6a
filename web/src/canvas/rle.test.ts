import { expect, test } from "vitest";
import { decode, runs } from "@/canvas/rle";

/** The writer of cocoapi, for the way back. */
function write(lengths: number[]): string {
  let text = "";
  lengths.forEach((n, i) => {
    let x = i > 2 ? n - (lengths[i - 2] ?? 0) : n;
    for (let more = true; more; ) {
      let c = x & 0x1f;
      x >>= 5;
      more = (c & 0x10) !== 0 ? x !== -1 : x !== 0;
      if (more) c |= 0x20;
      text += String.fromCharCode(c + 48);
    }
  });
  return text;
}

test("run lengths come back, also long ones and shrinking ones", () => {
  for (const lengths of [[0, 4], [5, 1, 3, 2, 7], [100_000, 3, 2, 90_000, 1, 1]]) expect(runs(write(lengths))).toEqual(lengths);
});

test("a mask is read column by column", () => {
  // 3 rows, 4 columns; inside: column 1 rows 1 to 2, column 2 row 1
  const mask = decode({ size: [3, 4], counts: write([4, 2, 1, 1, 4]) });
  expect(mask).toMatchObject({ x: 1, y: 1, width: 2, height: 2 });
  expect([...(mask?.bits ?? [])]).toEqual([1, 1, 1, 0]);
});

test("empty masks and nonsense draw nothing", () => {
  expect(decode({ size: [3, 4], counts: write([12]) })).toBeNull();
  expect(decode({ size: [0, 4], counts: "" })).toBeNull();
  expect(decode({ size: [2, 2], counts: write([0, 99]) })).toMatchObject({ width: 2, height: 2 });
});
