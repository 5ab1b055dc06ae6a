import { beforeEach, expect, test } from "vitest";
import { Camera } from "@/canvas/camera";
import { Gestures, type Around } from "@/canvas/gestures";
import { handlesOf } from "@/canvas/handles";
import { encode } from "@/canvas/rle";
import { Scene } from "@/canvas/scene";
import { rectOf } from "@/canvas/shapes";
import { withRect } from "@/canvas/turned";
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
    onHover: note("hover"), onPick: note("pick"), onDraft: () => {}, onReshape: note("reshape"), onBox: note("box"), onPaint: note("paint"), onStroke: () => {}, onBrush: () => {},
    onCursor: () => {},
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

const MASK = annotation({ id: "blob", kind: "mask", bbox: [20, 20, 4, 2], mask: { size: [100, 200], counts: encode({ x: 20, y: 20, width: 4, height: 2, bits: new Uint8Array(8).fill(1) }, [100, 200]) } });

test("a brush paints the selected mask from the press on, also where the hand did not move", () => {
  around = { ...around, scene: new Scene([MASK]), selected: MASK, tool: "brush" };
  drag([40, 40], [60, 50]);
  drag([40, 40], [40, 40]);
  expect(heard).toEqual([["paint", [20, 20, 30, 25]], ["paint", [20, 20, 20, 20]]]);
});

test("a brush looks around where no mask is selected, and a stroke that is broken off paints nothing", () => {
  around = { ...around, tool: "eraser" };
  drag([80, 80], [100, 90]);
  expect(around.camera.view.dx).toBe(20);
  around = { ...around, scene: new Scene([MASK]), selected: MASK };
  gestures.down(1, { x: 80, y: 80 });
  gestures.move(1, { x: 100, y: 90 });
  gestures.cancel(1);
  expect(heard).toEqual([]);
});

test("a rotated box is turned by its knob and stretched along its own axes", () => {
  const tilted = withRect(annotation({ id: "tilted", kind: "rotated_box" }), { x: 50, y: 50, w: 40, h: 20, angle: Math.PI / 2 });
  around = { ...around, scene: new Scene([tilted]), selected: tilted, handles: handlesOf(tilted) };
  // its first side looks right: the knob is 26 px of the screen away from (60, 50)
  drag([146, 100], [100, 30]);
  expect(rectOf((heard.at(-1)?.[1] as typeof tilted).rings[0])).toMatchObject({ x: 50, y: 50, w: 40, h: 20, angle: 0 });
  drag([100, 140], [130, 160]);
  const rect = rectOf((heard.at(-1)?.[1] as typeof tilted).rings[0]);
  expect(rect?.w).toBeCloseTo(50);
  expect([rect?.h, rect?.y]).toEqual([20, 55]);
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
