/** Keys as text: "j", "?", "mod+k", "g s" (one after the other), "Escape". Letters with shift are capital letters. */
export type Press = Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "altKey" | "shiftKey">;

/** One press as text. `mod` is Command or Control. */
export function chord(press: Press): string {
  const mod = press.metaKey || press.ctrlKey ? "mod+" : "";
  const alt = press.altKey ? "alt+" : "";
  const shift = press.shiftKey && named(press.key) ? "shift+" : "";
  const key = press.key === " " ? "Space" : mod ? withMod(press) : press.key;
  return mod + alt + shift + key;
}

/** With `mod`, shift does not count, but for redo: `mod+Z`. */
const withMod = ({ key, shiftKey }: Press): string => (named(key) ? key : shiftKey && key.toLowerCase() === "z" ? "Z" : key.toLowerCase());
const named = (key: string): boolean => key.length > 1;

export type Match<T> = { hit: T } | { waiting: string } | null;

/** The entry that these presses ask for, or that another press could complete. */
export function match<T extends { keys?: readonly string[] | undefined }>(
  entries: readonly T[], before: string, pressed: string,
): Match<T> {
  const whole = before ? `${before} ${pressed}` : pressed;
  for (const text of before ? [whole, pressed] : [pressed]) {
    const hit = entries.findLast((entry) => entry.keys?.includes(text));
    if (hit) return { hit };
  }
  const opens = entries.some((entry) => entry.keys?.some((keys) => keys.startsWith(`${pressed} `)));
  return opens ? { waiting: pressed } : null;
}

/** Pairs of entries that one press asks for, or where the first press of one is all of the other: "key: title, title". */
export function clashes(entries: readonly { title: string; keys?: readonly string[] | undefined }[]): string[] {
  const titles = new Map<string, string[]>();
  for (const { title, keys } of entries) for (const key of keys ?? []) titles.set(key, [...(titles.get(key) ?? []), title]);
  for (const [key, of] of titles) {
    const first = key.includes(" ") ? titles.get(key.split(" ")[0] ?? "") : undefined;
    if (first) of.push(...first);
  }
  return [...titles].filter(([, of]) => of.length > 1).map(([key, of]) => `${key}: ${of.join(", ")}`);
}

const NAMES: Record<string, string> = {
  Delete: "Del", Backspace: "\u232b",
  ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", Escape: "Esc", Enter: "\u21b5",
};

/** The caps to show for a key text; "mod" is a word of the machine. */
export function caps(keys: string, mac: boolean): string[] {
  return keys.split(" ").flatMap((one) =>
    one.replace(/(^|\+)([A-Z])$/, "$1shift+$2").split(/\+(?=.)/).map((name) => {
      if (name === "mod") return mac ? "\u2318" : "Ctrl";
      if (name === "shift") return mac ? "\u21e7" : "Shift";
      return NAMES[name] ?? (/^[a-z]$/.test(name) ? name.toUpperCase() : name);
    }),
  );
}

type Target = Pick<HTMLElement, "tagName" | "isContentEditable" | "closest"> & { type?: string };

const MOVES = /^(?:shift\+)?(?:Arrow\w+|Home|End|PageUp|PageDown)$/;
const PRESSES = new Set(["Enter", "Space"]);

/** What a text field does with the modifier itself. */
const EDITS = new Set(["mod+a", "mod+z", "mod+Z", "mod+y", "mod+shift+z"]);
const isText = (target: Target): boolean =>
  target.isContentEditable || target.tagName === "TEXTAREA" || (target.tagName === "INPUT" && !/^(?:range|radio|checkbox|button|submit)$/.test(target.type ?? ""));

/** Whether a press belongs to the element it happens on: text to a field, arrows to a slider, Enter to a button. */
export function isTaken(target: Target | null, pressed: string): boolean {
  if (!target?.tagName) return false;
  if (pressed.startsWith("mod+")) return EDITS.has(pressed) && isText(target);
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  if (target.tagName === "INPUT") {
    if (target.type === "range" || target.type === "radio") return MOVES.test(pressed);
    return target.type === "checkbox" ? PRESSES.has(pressed) : true;
  }
  if (target.closest('[role="radio"]') && MOVES.test(pressed)) return true;
  return PRESSES.has(pressed) && target.closest("a, button, summary") !== null;
}
