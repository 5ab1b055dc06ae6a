import { expect, test } from "vitest";
import { cursorOf, handleAt, handlesOf } from "@/canvas/handles";
import { dragged, moved } from "@/canvas/reshape";
import { rectOf, type Rect } from "@/canvas/shapes";
import { boundsOf, cornersOf, turned, turnedTo, withRect } from "@/canvas/turned";
import { annotation } from "@/testing/records";

const IMAGE = { width: 400, height: 300 };
const RECT: Rect = { x: 120.4, y: 90.2, w: 60, h: 24, angle: 0.3 };
const tilted = withRect(annotation({ kind: "rotated_box" }), RECT);
const oval = withRect(annotation({ kind: "ellipse" }), RECT);
const rect = (a: { rings: number[][] }) => rectOf(a.rings[0]) as Rect;
const edge = (across: number, down: number) => {
  const handle = handlesOf(tilted).find((one) => one.what === "edge" && one.across === across && one.down === down);
  if (!handle) throw new Error("no such handle");
  return handle;
};

test("corners of a rectangle are read back as the same rectangle, at every angle", () => {
  for (const angle of [-3, -Math.PI / 2, -0.2, 0, 0.7, Math.PI / 2, 3.1]) {
    const back = rectOf(cornersOf({ ...RECT, angle })) as Rect;
    for (const name of ["x", "y", "w", "h"] as const) expect(back[name]).toBeCloseTo(RECT[name], 9);
    expect(back.angle).toBeCloseTo(angle, 9);
  }
});

test("the corners are those of the server: clockwise, quarter turns as its example has them", () => {
  // calotype.vision.corners: corners_of(Rectangle(5, 5, 4, 2, 90))
  cornersOf({ x: 5, y: 5, w: 4, h: 2, angle: Math.PI / 2 }).forEach((value, at) => expect(value).toBeCloseTo([6, 3, 6, 7, 4, 7, 4, 3][at] as number, 9));
});

test("turned there and back is the same box, also by many small steps and over a whole turn", () => {
  let there = tilted;
  for (let n = 0; n < 37; n += 1) there = turned(there, 1);
  for (let n = 0; n < 37; n += 1) there = turned(there, -1);
  for (let n = 0; n < 24; n += 1) there = turned(there, 15);
  there.rings[0]?.forEach((value, at) => expect(value).toBeCloseTo(tilted.rings[0]?.[at] as number, 6));
  expect(there.bbox?.[2]).toBeCloseTo(tilted.bbox?.[2] as number, 6);
});

test("the knob turns the first side towards the hand", () => {
  expect(rect(turnedTo(tilted, 120.4, 0)).angle).toBeCloseTo(0, 6);
  expect(rect(turnedTo(tilted, 300, 90.2)).angle).toBeCloseTo(Math.PI / 2, 6);
  expect(rect(turnedTo(tilted, 300, 86, 45)).angle).toBeCloseTo(Math.PI / 2, 6);
  expect(turnedTo(tilted, 120.4, 90.2)).toBe(tilted);
});

test("an edge moves along the axes of the box, and the edge across stays", () => {
  const right = edge(1, 0);
  const [cos, sin] = [Math.cos(RECT.angle), Math.sin(RECT.angle)];
  const wider = rect(dragged(tilted, right, right.x + 10 * cos - 5 * sin, right.y + 10 * sin + 5 * cos, IMAGE));
  expect([wider.w, wider.h]).toEqual([expect.closeTo(70, 6), expect.closeTo(24, 6)]);
  expect(wider.x - (wider.w / 2) * cos).toBeCloseTo(RECT.x - (RECT.w / 2) * cos, 1);
  expect(wider.angle).toBeCloseTo(rect(tilted).angle, 9);
  const corner = edge(-1, -1);
  const smaller = rect(dragged(tilted, corner, RECT.x, RECT.y, IMAGE));
  expect([smaller.w, smaller.h]).toEqual([expect.closeTo(30, 0), expect.closeTo(12, 0)]);
  expect(rect(dragged(tilted, right, 0, 0, IMAGE)).w).toBeCloseTo(1, 9);
});

test("it is moved as a whole, as far as the image goes", () => {
  const away = moved(tilted, 12, -7, IMAGE);
  expect(rect(away)).toMatchObject({ x: expect.closeTo(132.4, 6), y: expect.closeTo(83.2, 6), w: expect.closeTo(60, 6) });
  expect(moved(oval, 999, 0, IMAGE).bbox?.[0]).toBeCloseTo(400 - (oval.bbox?.[2] as number), 0);
});

test("the box around an ellipse is tighter than that around its rectangle", () => {
  expect(boundsOf("ellipse", { x: 0, y: 0, w: 20, h: 20, angle: 0.6 })).toEqual([-10, -10, 20, 20].map((value) => expect.closeTo(value, 9)));
  expect(boundsOf("rotated_box", { x: 0, y: 0, w: 20, h: 20, angle: Math.PI / 4 })[2]).toBeCloseTo(20 * Math.SQRT2, 9);
});

test("handles turn with the box, and the knob is away from it on the screen at every zoom", () => {
  const handles = handlesOf(oval);
  expect(handles.map((one) => one.what)).toEqual([...Array.from({ length: 8 }, () => "edge"), "turn"]);
  for (const scale of [0.2, 1, 6]) {
    const [x, y] = [RECT.x + 12 * Math.sin(0.3), RECT.y - 12 * Math.cos(0.3)];
    const at = handleAt(handles, { scale, dx: 0, dy: 0 }, x * scale + 26 * Math.sin(0.3), y * scale - 26 * Math.cos(0.3), 3);
    expect(handles[at ?? -1]?.what).toBe("turn");
  }
  const upright = handlesOf(withRect(tilted, { ...RECT, angle: 0 }));
  expect(upright.map(cursorOf).slice(0, 4)).toEqual(["nwse-resize", "ns-resize", "nesw-resize", "ew-resize"]);
  const quarter = handlesOf(withRect(tilted, { ...RECT, angle: Math.PI / 2 }));
  expect(quarter.map(cursorOf).slice(0, 4)).toEqual(["nesw-resize", "ew-resize", "nwse-resize", "ns-resize"]);
});
