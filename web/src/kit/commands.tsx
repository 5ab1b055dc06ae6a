import { useEffect, useRef, useSyncExternalStore, type KeyboardEvent as ElementPress } from "react";
import { chord, isTaken, match } from "@/kit/keys";

/** Groups of the palette and the cheat sheet, in their order. */
export const GROUPS = ["Sample", "Grid", "Page", "Dataset", "Go to", "Datasets", "App"] as const;
export type Group = (typeof GROUPS)[number];

/** A command as a room's `keys.ts` declares it: its title, its keys, where it is listed. */
export type CommandLine = {
  title: string;
  group: Group;
  keys?: readonly string[];
  /** Not in the palette: useful as a key only. */
  quiet?: boolean;
};

/** A command that can run now. */
export type Command = CommandLine & { id: string; run: () => void };

let all: readonly Command[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Command[]) {
  all = next;
  for (const notify of listeners) notify();
}

/** Make commands available while the caller is mounted; the newest `runs` are always used. */
export function useCommands<Id extends string>(lines: Record<Id, CommandLine>, runs: Record<NoInfer<Id>, () => unknown>): void {
  const latest = useRef(runs);
  useEffect(() => {
    latest.current = runs;
  });
  const shape = JSON.stringify(lines);
  useEffect(() => {
    const declared = JSON.parse(shape) as Record<Id, CommandLine>;
    const mine = (Object.keys(declared) as Id[]).map((id) => ({ ...declared[id], id, run: () => void latest.current[id]() }));
    change([...all, ...mine]);
    return () => change(all.filter((command) => !(mine as Command[]).includes(command)));
  }, [shape]);
}

/** Every command that can run now. */
export const allCommands = (): readonly Command[] => all;

/** Calls `notify` whenever commands come or go; returns how to stop. */
export function watchCommands(notify: () => void): () => void {
  listeners.add(notify);
  return () => void listeners.delete(notify);
}

export const useAllCommands = (): readonly Command[] => useSyncExternalStore(watchCommands, allCommands);

/** The command of this id that can run now; of several, the newest. */
export function useCommand(id: string | undefined): Command | undefined {
  return useSyncExternalStore(watchCommands, () => (id ? all.findLast((command) => command.id === id) : undefined));
}

/** Run a command that can run now; nothing happens where it cannot. */
export function runCommand(id: string): void {
  all.findLast((command) => command.id === id)?.run();
}

/**
 * Keys of one element, such as the arrows of a list or Escape in a field: `<input {...keysOf({ Escape: leave })} />`. They come
 * before the commands of the page. A run that answers false leaves the press to the page and the browser.
 */
export function keysOf(runs: Readonly<Record<string, () => unknown>>) {
  return {
    onKeyDown: (event: ElementPress) => {
      const run = event.nativeEvent.isComposing ? undefined : runs[chord(event)];
      if (run && run() !== false) event.preventDefault();
    },
  };
}

const WAIT_MS = 900;

/** Listens to the keyboard for the whole app; used once, by the shell. */
export function useKeyboard(): void {
  useEffect(() => {
    let before = "";
    let since = 0;
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const pressed = chord(event);
      const inDialog = document.querySelector("dialog[open]") !== null;
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (isTaken(target, pressed) || (inDialog && !pressed.startsWith("mod+"))) return;
      const answer = match(all, event.timeStamp - since < WAIT_MS ? before : "", pressed);
      before = answer && "waiting" in answer ? answer.waiting : "";
      since = event.timeStamp;
      if (answer && "hit" in answer) {
        event.preventDefault();
        answer.hit.run();
      }
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
