import { expect, test } from "vitest";
import { caps, chord, clashes, isTaken, match } from "@/kit/keys";

const press = (key: string, more = {}) => ({ key, metaKey: false, ctrlKey: false, altKey: false, shiftKey: false, ...more });

test("presses become text", () => {
  expect(chord(press("j"))).toBe("j");
  expect(chord(press("K", { metaKey: true, shiftKey: true }))).toBe("mod+k");
  expect([chord(press("z", { ctrlKey: true })), chord(press("Z", { ctrlKey: true, shiftKey: true })), chord(press("Enter", { metaKey: true }))]).toEqual(["mod+z", "mod+Z", "mod+Enter"]);
  expect(chord(press("?", { shiftKey: true }))).toBe("?");
  expect(chord(press("Tab", { shiftKey: true }))).toBe("shift+Tab");
});

test("two presses reach a command, one waits", () => {
  const go = { keys: ["g s"] };
  const single = { keys: ["s"] };
  expect(match([go, single], "", "g")).toEqual({ waiting: "g" });
  expect(match([go, single], "g", "s")).toEqual({ hit: go });
  expect(match([go, single], "", "s")).toEqual({ hit: single });
  expect(match([go, single], "", "x")).toBeNull();
});

test("the page that came last wins a key", () => {
  const [shell, page] = [{ keys: ["Escape"] }, { keys: ["Escape"] }];
  expect(match([shell, page], "", "Escape")).toEqual({ hit: page });
});

test("caps are shown as on the keyboard", () => {
  expect(caps("mod+k", true)).toEqual(["\u2318", "K"]);
  expect(caps("mod+Z", false)).toEqual(["Ctrl", "Shift", "Z"]);
  expect(caps("g s", false)).toEqual(["G", "S"]);
  expect(caps("Y", false)).toEqual(["Shift", "Y"]);
  expect(caps("ArrowLeft", false)).toEqual(["\u2190"]);
});

test("a press belongs to the thing it was made on", () => {
  const on = (tagName: string, type = "", inside: string[] = []) =>
    ({ tagName, type, isContentEditable: false, closest: (asked: string) => (inside.some((one) => asked.includes(one)) ? {} : null) }) as never;
  expect([isTaken(on("INPUT", "text"), "j"), isTaken(on("INPUT", "text"), "mod+k"), isTaken(on("SELECT"), "a")]).toEqual([true, false, true]);
  expect([isTaken(on("INPUT", "range"), "ArrowLeft"), isTaken(on("INPUT", "range"), "a")]).toEqual([true, false]);
  expect([isTaken(on("BUTTON", "", ["button"]), "Enter"), isTaken(on("BUTTON", "", ["button"]), "ArrowLeft")]).toEqual([true, false]);
  expect(isTaken(on("DIV"), "Enter")).toBe(false);
  expect([isTaken(on("INPUT", "text"), "mod+z"), isTaken(on("INPUT", "checkbox"), "mod+z"), isTaken(on("DIV"), "mod+Z")]).toEqual([true, false, false]);
});

test("commands on one key are reported, and a key that begins the keys of another", () => {
  const [a, b, go] = [{ title: "A", keys: ["a", "g"] }, { title: "B", keys: ["b", "a"] }, { title: "Go", keys: ["g s"] }];
  expect(clashes([a, b])).toEqual(["a: A, B"]);
  expect(clashes([a, go])).toEqual(["g s: Go, A"]);
  expect(clashes([b, go])).toEqual([]);
});
