import { expect, test } from "vitest";
import { compressed, decode, encode, runs } from "@/canvas/rle";
import table from "@/canvas/rle_masks.json?raw";

test("run lengths come back, also long ones and shrinking ones", () => {
  for (const lengths of [[0, 4], [5, 1, 3, 2, 7], [100_000, 3, 2, 90_000, 1, 1]]) expect(runs(compressed(lengths))).toEqual(lengths);
});

test("a mask is read column by column", () => {
  // 3 rows, 4 columns; inside: column 1 rows 1 to 2, column 2 row 1
  const mask = decode({ size: [3, 4], counts: compressed([4, 2, 1, 1, 4]) });
  expect(mask).toMatchObject({ x: 1, y: 1, width: 2, height: 2 });
  expect([...(mask?.bits ?? [])]).toEqual([1, 1, 1, 0]);
});

/** Masks as the server writes them (`to_string(encode(mask))` of calotype.vision.masks); a Python test reads this table too. */
const SERVER = JSON.parse(table) as { size: [number, number]; rows: string[]; counts: string }[];

test.each(SERVER)("a mask of $size is written as the server writes it, and read as it was", ({ size, rows, counts }) => {
  const [height, width] = size;
  const bits = Uint8Array.from(rows.join(""), Number);
  expect(encode({ x: 0, y: 0, width, height, bits }, size)).toBe(counts);
  const read = decode({ size, counts });
  const whole = new Uint8Array(height * width);
  read?.bits.forEach((bit, at) => (whole[(read.y + Math.floor(at / read.width)) * width + read.x + (at % read.width)] = bit));
  expect(whole).toEqual(bits);
  if (read) expect(encode(read, size)).toBe(counts);
});

test("empty masks and nonsense draw nothing", () => {
  expect(decode({ size: [3, 4], counts: compressed([12]) })).toBeNull();
  expect(decode({ size: [0, 4], counts: "" })).toBeNull();
  expect(decode({ size: [2, 2], counts: compressed([0, 99]) })).toMatchObject({ width: 2, height: 2 });
});
