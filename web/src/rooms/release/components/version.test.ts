import { expect, test } from "vitest";
import { nextVersion, shares } from "./version";

test("the next version", () => {
  expect([nextVersion([]), nextVersion(["1.4.2", "1.4.1"]), nextVersion(["spring"])]).toEqual(["1.0.0", "1.5.0", ""]);
});

test("shares are read as at the command line", () => {
  expect(shares("train=.8,val=.1, test=.1")).toEqual({ train: 0.8, val: 0.1, test: 0.1 });
  expect(["train", "train=2", "a=.5,a=.5", "a=x", ""].map(shares)).toEqual([null, null, null, null, null]);
});
