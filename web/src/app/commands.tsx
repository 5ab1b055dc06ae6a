import { useEffect, useRef, useSyncExternalStore } from "react";
import { chord, isTaken, match } from "@/app/keys";

/** Something a person can ask for: by key, from the palette, and listed on the cheat sheet. */
export type Command = {
  id: string;
  title: string;
  group: string;
  keys?: readonly string[];
  run: () => void;
  /** Not listed in the palette: keys that only make sense as keys. */
  quiet?: boolean;
};

let all: readonly Command[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Command[]) {
  all = next;
  for (const tell of listeners) tell();
}

/** Make commands available for as long as the caller is on the page; the newest run is always used. */
export function useCommands(commands: readonly Command[]): void {
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  });
  const shape = JSON.stringify(commands.map(({ id, title, group, keys, quiet }) => [id, title, group, keys, quiet]));
  useEffect(() => {
    const mine = latest.current.map((command) => ({
      ...command,
      run: () => latest.current.find((one) => one.id === command.id)?.run(),
    }));
    change([...all, ...mine]);
    return () => change(all.filter((one) => !mine.includes(one)));
  }, [shape]);
}

/** Every command there is now. */
export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore((tell) => (listeners.add(tell), () => void listeners.delete(tell)), () => all);
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
      const found = match(all, event.timeStamp - since < WAIT_MS ? before : "", pressed);
      before = found && "waiting" in found ? found.waiting : "";
      since = event.timeStamp;
      if (found && "hit" in found) {
        event.preventDefault();
        found.hit.run();
      }
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
