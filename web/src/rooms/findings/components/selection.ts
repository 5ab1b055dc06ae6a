import { useState } from "react";

/** What is selected: single findings, or all that the list shows. */
export type Selection = { keys: ReadonlySet<string>; all: boolean };
export const NOTHING: Selection = { keys: new Set(), all: false };

/** The selection and the ways to change it. A range reaches from the last tick to the next one. */
export function useSelection(keysBetween: (first: number, last: number) => Promise<string[]>) {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [anchor, setAnchor] = useState(0);
  const tick = async (place: number, key: string, range: boolean) => {
    if (range) {
      const keys = await keysBetween(Math.min(anchor, place), Math.max(anchor, place));
      setSelection((before) => ({ keys: new Set([...before.keys, ...keys]), all: false }));
    } else {
      setAnchor(place);
      setSelection((before) => {
        const keys = new Set(before.all ? [] : before.keys);
        if (!keys.delete(key)) keys.add(key);
        return { keys, all: false };
      });
    }
  };
  return {
    selection,
    tick,
    all: () => setSelection({ keys: new Set(), all: true }),
    clear: () => setSelection(NOTHING),
  };
}
