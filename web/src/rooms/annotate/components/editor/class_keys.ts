import type { CommandLine } from "@/kit/commands";
import * as keys from "../../keys";
import type { WorkClass } from "../session/types";

const TABLES = [keys.TOOL_KEYS, keys.DRAWN_KEYS, keys.OBJECT_KEYS, keys.LOOK_KEYS, keys.WORK_KEYS, keys.REVIEW_KEYS];
/** Keys that the editor and the shell have already. */
const TAKEN = new Set<string>(["g", "y", "?", "[", ...TABLES.flatMap((table) => Object.values(table) as CommandLine[]).flatMap((line) => line.keys ?? [])]);

/** The key of each class: its own where it is free, else the next free digit; "" where none is left. */
export function classKeys(classes: readonly WorkClass[]): string[] {
  const used = new Set<string>();
  const own = classes.map(({ key }) => {
    const isFree = key.length === 1 && !TAKEN.has(key) && !used.has(key);
    if (isFree) used.add(key);
    return isFree ? key : "";
  });
  const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].filter((digit) => !used.has(digit));
  return own.map((key) => key || (digits.shift() ?? ""));
}

/** A command for each class that has a key. */
export function classLines(classes: readonly WorkClass[]): Record<string, CommandLine> {
  const pressed = classKeys(classes);
  return Object.fromEntries(classes.map((one, at) => [
    commandOf(one), { title: `Use the class ${one.name}`, group: "Sample", ...(pressed[at] ? { keys: [pressed[at]] } : {}) } satisfies CommandLine,
  ]));
}

export const commandOf = (one: WorkClass): string => `class.use-${one.id}`;
