import { expect, test } from "vitest";
import { branchOf, branchQuery, onBranch, workingState } from "@/kit/branch";

test.each([
  ["", "main"], ["main+", "main"], ["+", "main"], ["night+", "night"], ["night", null], ["v1", null], ["0a1b2c3d4e5f", null],
])("ref %o names the working state of %o", (ref, branch) => expect(branchOf(ref)).toBe(branch));

test("the working state of a branch goes into the address and back", () => {
  for (const branch of ["main", "night", "ana/fixes"]) expect(branchOf(workingState(branch))).toBe(branch);
  expect([branchQuery("main"), branchQuery("night"), onBranch("main"), onBranch("night")]).toEqual([{}, { branch: "night" }, "", " on night"]);
});
