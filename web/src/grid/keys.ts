import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of a grid of samples. */
const TITLES = {
  ArrowLeft: "Previous sample", ArrowRight: "Next sample", ArrowUp: "Sample above", ArrowDown: "Sample below",
  PageUp: "Page up", PageDown: "Page down", Home: "First sample", End: "Last sample",
};

export type MoveKey = keyof typeof TITLES;
export const MOVES = Object.keys(TITLES) as MoveKey[];

type Moves<Prefix extends string> = Record<`${Prefix}.${MoveKey}`, CommandLine>;
const moves = <Prefix extends string>(prefix: Prefix, line: (key: MoveKey) => CommandLine) =>
  Object.fromEntries(MOVES.map((key) => [`${prefix}.${key}`, line(key)])) as unknown as Moves<Prefix>;

export const MOVE_KEYS = moves("grid", (key) => ({ title: TITLES[key], group: "Grid", keys: [key], quiet: true }));

export const EXTEND_KEYS = moves("grid.extend", (key) => ({
  title: `Extend the selection: ${TITLES[key].toLowerCase()}`, group: "Grid", keys: [`shift+${key}`], quiet: true,
}));

export const OPEN_KEYS = { "grid.open": { title: "Open the sample", group: "Grid", keys: ["Enter"], quiet: true } } satisfies Record<string, CommandLine>;

export const CHOOSE_KEYS = {
  "grid.toggle": { title: "Select the sample, or not", group: "Grid", keys: ["Space"] },
  "grid.all": { title: "Select all that match", group: "Grid", keys: ["mod+a"] },
} satisfies Record<string, CommandLine>;
