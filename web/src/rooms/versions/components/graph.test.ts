import { expect, test } from "vitest";
import { layOut, type Node } from "./graph";

/** "d:c,b" is a commit d with the parents c and b. */
const log = (...texts: string[]): Node[] =>
  texts.map((text) => {
    const [id = "", parents = ""] = text.split(":");
    return { id, parents: parents ? parents.split(",") : [] };
  });
const drawn = (...texts: string[]) =>
  layOut(log(...texts)).rows.map(({ commit, lane, into, out, past }) => `${commit.id}@${lane} in ${into.join()} out ${out.join()} past ${past.join()}`);

test("no commits, one commit, one line", () => {
  expect(layOut([])).toEqual({ rows: [], lanes: 0 });
  expect(drawn("a")).toEqual(["a@0 in  out  past "]);
  expect(drawn("b:a", "a")).toEqual(["b@0 in  out 0 past ", "a@0 in 0 out  past "]);
  expect(layOut(log("b:a", "a")).lanes).toBe(1);
});

test("a branch has a lane of its own until the commit that it left", () => {
  expect(drawn("c:a", "b:a", "a")).toEqual(["c@0 in  out 0 past ", "b@1 in  out 0 past 0", "a@0 in 0 out  past "]);
});

test("a merge has a line to each parent", () => {
  expect(drawn("m:c,b", "c:a", "b:a", "a")).toEqual([
    "m@0 in  out 0,1 past ", "c@0 in 0 out 0 past 1", "b@1 in 1 out 0 past 0", "a@0 in 0 out  past ",
  ]);
});

test("a lane that has ended is used again", () => {
  const graph = layOut(log("d:c", "x:c", "c:b", "y:b", "b"));
  expect(graph.rows.map(({ lane }) => lane)).toEqual([0, 1, 0, 1, 0]);
  expect(graph.lanes).toBe(2);
});

test("branches without a common commit end apart", () => {
  expect(drawn("b:a", "y:x", "a", "x")).toEqual(["b@0 in  out 0 past ", "y@1 in  out 1 past 0", "a@0 in 0 out  past 1", "x@1 in 1 out  past "]);
});

test("lines to parents that are not listed run on to the end", () => {
  expect(drawn("m:c,b", "c:a")).toEqual(["m@0 in  out 0,1 past ", "c@0 in 0 out 0 past 1"]);
});

test("a parent whose clock was ahead stands below its children", () => {
  expect(layOut(log("a", "c:b", "b:a")).rows.map(({ commit }) => commit.id)).toEqual(["c", "b", "a"]);
});

test("the same parent twice is one line, and an octopus has a line to each", () => {
  expect(drawn("b:a,a", "a")[0]).toBe("b@0 in  out 0 past ");
  expect(layOut(log("m:a,b,c", "a", "b", "c")).lanes).toBe(3);
});

test("every line that leaves a row enters the next one, for any history", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 50; round += 1) {
    const total = 2 + random(60);
    const commits = Array.from({ length: total }, (_, at) => ({
      id: String(at),
      parents: Array.from({ length: random(3) }, () => at + 1 + random(8)).filter((parent) => parent < total).map(String),
    }));
    const { rows, lanes } = layOut(commits);
    expect(rows.map(({ commit }) => commit.id).toSorted()).toEqual(commits.map(({ id }) => id).toSorted());
    let below: number[] = [];
    for (const { lane, into, out, past, commit } of rows) {
      expect([...into, ...past].toSorted((a, b) => a - b)).toEqual(below);
      expect(out.length).toBe(new Set(commit.parents).size);
      expect(past).not.toContain(lane);
      below = [...new Set([...past, ...out])].toSorted((a, b) => a - b);
      expect(Math.max(lane, ...below)).toBeLessThan(lanes);
    }
    expect(below).toEqual([]);
  }
});
