import { expect, test } from "vitest";
import { gate } from "@/testing/records";
import { coverageOf, groupsOf, stepOf } from "./coverage";

const asked = (name: string, check: string, have: number, need: number, unit = "annotations") =>
  gate({ name, check, measured: have, threshold: need, unit, state: have >= need ? "green" : have ? "red" : "missing" });

const GATES = [
  asked("samples", "", 300, 1, "samples"), asked("class car", "class-balance", 90, 10), asked("readable", "readable", 0, 0, "findings"),
  asked("coverage night", "coverage", 12, 100, "samples"), asked("coverage night: car", "coverage", 40, 10), asked("coverage night: dog", "coverage", 0, 10),
];

test("conditions are rows and classes columns, with what is there and what is needed", () => {
  const { classes, rows } = coverageOf(GATES);
  expect(classes).toEqual(["car", "dog"]);
  expect(rows.map(({ title, cells }) => [title, [...cells].map(([name, { have, need }]) => [name, have, need])])).toEqual([
    ["all samples", [["", 300, 1], ["car", 90, 10]]], ["night", [["", 12, 100], ["car", 40, 10], ["dog", 0, 10]]],
  ]);
});

test("without conditions in the contract there is no map", () => {
  expect(coverageOf(GATES.slice(0, 3)).rows).toEqual([]);
});

test("a cell is the darker the less of the demand is met", () => {
  const cells = coverageOf(GATES).rows[1]?.cells;
  expect(["", "car", "dog"].map((name) => stepOf(cells!.get(name)!))).toEqual([1, 4, 0]);
});

test("a cell shows both demands at once, and each by itself", () => {
  expect(groupsOf("night", "dog", 'light = "night" or lux < 5').map(({ where }) => where)).toEqual([
    '(light = "night" or lux < 5) and class = "dog"', 'light = "night" or lux < 5', 'class = "dog"',
  ]);
  expect(groupsOf("night", "", 'light = "night"').map(({ where }) => where)).toEqual(['light = "night"']);
  expect(groupsOf("all samples", "dog", undefined).map(({ where }) => where)).toEqual(['class = "dog"']);
  expect(groupsOf("all samples", "", undefined).map(({ where }) => where)).toEqual([""]);
});

test("of a condition whose query is unknown only the class is shown", () => {
  expect(groupsOf("fog", "dog", undefined).map(({ where }) => where)).toEqual(['class = "dog"']);
  expect(groupsOf("fog", "", undefined)).toEqual([]);
});
