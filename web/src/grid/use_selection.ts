import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { NOTHING, type Selection } from "@/grid/selection";

type Kept = { address: string; total: number; selection: Selection };

/** The selection of the list that was left last, in each app: it is there again on the way back. */
const last = new WeakMap<QueryClient, Kept>();

/**
 * The selection in a list. It ends where the list becomes another one; `total` is its length, unknown while it loads. `shown` is
 * the length that is drawn meanwhile: what is chosen before the list has come stays chosen if it comes with that length.
 */
export function useSelection(address: string, total: number | undefined, shown = total) {
  const app = useQueryClient();
  const [kept, setKept] = useState(() => last.get(app) ?? null);
  const holds = kept !== null && kept.address === address && (total === undefined || total === kept.total);
  const select = useCallback((selection: Selection) => {
    const now = shown === undefined ? null : { address, total: shown, selection };
    if (now) last.set(app, now);
    else last.delete(app);
    setKept(now);
  }, [app, address, shown]);
  return { selection: holds ? kept.selection : NOTHING, select };
}
