import { expect, test } from "vitest";
import * as rooms from "@/app/rooms";
import type { CommandLine } from "@/kit/commands";

const files = import.meta.glob("../rooms/**/*.{ts,tsx}");
const keys: Record<string, Record<string, Record<string, CommandLine>>> = import.meta.glob("../rooms/*/keys.ts", { eager: true });

const inRoom = (room: string) => Object.keys(files).filter((file) => file.startsWith(`../rooms/${room}/`)).map((file) => file.split("/").slice(3).join("/"));
const names = [...new Set(Object.keys(files).map((file) => file.split("/")[2] ?? ""))];

test("every room with routes is registered", () => {
  expect(Object.keys(rooms).sort()).toEqual(names.filter((room) => inRoom(room).includes("routes.tsx")).sort());
});

test.each(names)("room %s has the files of a room and no others", (room) => {
  const known = /^(?:routes\.tsx|search(?:\.test)?\.ts|api\.ts|keys\.ts|page(?:\.test)?\.tsx|panel(?:\.test)?\.tsx|pages\/.+|components\/.+)$/;
  const own = inRoom(room);
  expect(own.filter((file) => !known.test(file))).toEqual([]);
  expect(own).toContain("api.ts");
  expect(own.some((file) => file === "page.tsx" || file === "panel.tsx" || file.startsWith("pages/"))).toBe(true);
});

test("every page has tests", () => {
  const pages = Object.keys(files).filter((file) => /\/page\.tsx$|\/pages\/[^.]+\.tsx$/.test(file));
  expect(pages.filter((page) => !(page.replace(/\.tsx$/, ".test.tsx") in files))).toEqual([]);
});

test("a table of commands uses a key once, and titles are sentences", () => {
  for (const [file, tables] of Object.entries(keys)) {
    for (const [table, lines] of Object.entries(tables)) {
      if (table === "GO") continue;
      const pressed = Object.values(lines).flatMap((line) => line.keys ?? []);
      expect(new Set(pressed).size, `${file} ${table}`).toBe(pressed.length);
      for (const { title } of Object.values(lines)) expect(title).toMatch(/^[A-Z][^.]+$/);
    }
  }
});

test("places of one part of the sidebar have different keys and orders", () => {
  const places = Object.values(rooms).flatMap((room) => [...room.places]);
  const orders = places.map((place) => `${place.scope} ${place.order}`);
  const pressed = places.flatMap((place) => place.keys ?? []);
  expect([new Set(orders).size, new Set(pressed).size]).toEqual([orders.length, pressed.length]);
});
