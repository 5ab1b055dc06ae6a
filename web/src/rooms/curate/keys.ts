import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of the map, and the keys that lead there. */
export const GO = { map: "g e" } as const;

type Lines = Record<string, CommandLine>;

export const MAP_KEYS = {
  "map.lasso": { title: "Select samples with a lasso, or move the map", group: "Page", keys: ["l"] },
  "map.grid": { title: "Open the selected samples in the grid", group: "Page", keys: ["Enter"] },
  "map.all": { title: "Show the whole dataset on the map", group: "Page" },
  "map.clear": { title: "Clear the selection", group: "Page", keys: ["Escape"] },
  "map.fit": { title: "Show all points", group: "Page", keys: ["0"] },
  "map.in": { title: "Zoom in", group: "Page", keys: ["+", "="] },
  "map.out": { title: "Zoom out", group: "Page", keys: ["-"] },
} satisfies Lines;
