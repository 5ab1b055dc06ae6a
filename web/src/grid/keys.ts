import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of a grid of samples. */
const TITLES = {
  ArrowLeft: "Previous sample", ArrowRight: "Next sample", ArrowUp: "Sample above", ArrowDown: "Sample below",
  PageUp: "Page up", PageDown: "Page down", Home: "First sample", End: "Last sample",
};

export type MoveKey = keyof typeof TITLES;
export const MOVES = Object.keys(TITLES) as MoveKey[];

export const MOVE_KEYS = Object.fromEntries(
  MOVES.map((key) => [`grid.${key}`, { title: TITLES[key], group: "Grid", keys: [key], quiet: true } satisfies CommandLine]),
) as unknown as Record<`grid.${MoveKey}`, CommandLine>;

export const OPEN_KEYS = { "grid.open": { title: "Open the sample", group: "Grid", keys: ["Enter"], quiet: true } } satisfies Record<string, CommandLine>;
