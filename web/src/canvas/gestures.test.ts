import { beforeEach, expect, test } from "vitest";
import { Camera } from "@/canvas/camera";
import { Gestures, type Around } from "@/canvas/gestures";
import { handlesOf } from "@/canvas/handles";
import { Scene } from "@/canvas/scene";
import { annotation } from "@/testing/records";

const car = annotation({ id: "car", bbox: [20, 20, 40, 30] });
const heard: unknown[][] = [];
let around: Around;
let gestures: Gestures;

/** An image of 200 x 100 px at twice its size, its corner at (0, 0). */
beforeEach(() => {
  heard.length = 0;
  const camera = new Camera(() => {});
  camera.setSpace(432, 232);
  camera.setImage(200, 100, null);
  camera.move(-16, -16);
  around = { camera, scene: new Scene([car]), hidden: new Set(), image: { width: 200, height: 100 }, selected: null, handles: [], tool: "look", editable: true };
  const note = (name: string) => (...values: unknown[]) => void heard.push([name, ...values]);
  gestures = new Gestures(() => around, {
    onHover: note("hover"), onPick: note("pick"), onDraft: () => {}, onReshape: note("reshape"), onBox: note("box"), onCursor: () => {},
  });
});

const drag = (from: [number, number], to: [number, number]) => {
  gestures.down(1, { x: from[0], y: from[1] });
  gestures.move(1, { x: to[0], y: to[1] });
  gestures.up(1, { x: to[0], y: to[1] });
};
const select = () => (around = { ...around, selected: car, handles: handlesOf(car) });

test("a press picks, or nothing where nothing is; a drag moves the image", () => {
  drag([80, 80], [81, 81]);
  drag([300, 150], [300, 150]);
  expect(heard).toEqual([["pick", "car", null], ["pick", null, null]]);
  drag([80, 80], [110, 95]);
  expect([around.camera.view.dx, around.camera.view.dy, heard.length]).toEqual([30, 15, 2]);
});

test("the selected annotation is moved by its inside and resized by its handles", () => {
  select();
  drag([80, 80], [100, 90]);
  expect(heard.at(-1)).toMatchObject(["reshape", { bbox: [30, 25, 40, 30] }]);
  drag([120, 100], [160, 120]);
  expect(heard.at(-1)).toMatchObject(["reshape", { bbox: [20, 20, 60, 40] }]);
  drag([120, 100], [121, 100]);
  expect(heard.at(-1)).toEqual(["pick", "car", 7]);
});

test("nothing is reshaped where nothing can be edited", () => {
  select();
  around = { ...around, editable: false };
  drag([80, 80], [100, 90]);
  expect([heard, around.camera.view.dx]).toEqual([[], 20]);
});

test("a box is drawn from corner to corner, in pixels of the image", () => {
  around = { ...around, tool: "box" };
  drag([200, 100], [260, 140]);
  expect(heard).toEqual([["box", [100, 50, 30, 20]]]);
});

test("a drag that is broken off changes nothing", () => {
  select();
  gestures.down(1, { x: 80, y: 80 });
  gestures.move(1, { x: 100, y: 90 });
  gestures.cancel(1);
  expect(heard).toEqual([]);
});

test("two fingers zoom about their middle", () => {
  gestures.down(1, { x: 100, y: 100 });
  gestures.down(2, { x: 200, y: 100 });
  gestures.move(2, { x: 300, y: 100 });
  expect(around.camera.view.scale).toBeCloseTo(4);
  expect(heard).toEqual([]);
});

test("hidden classes are not hit", () => {
  around = { ...around, hidden: new Set([1]) };
  gestures.move(1, { x: 80, y: 80 });
  expect(heard).toEqual([["hover", null]]);
});
