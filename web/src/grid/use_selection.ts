import { useCallback, useState } from "react";
import { NOTHING, type Selection } from "@/grid/selection";

type Kept = { address: string; total: number; selection: Selection };

/** The selection of the list that was left last: it is there again on the way back. */
let last: Kept | null = null;

/** The selection in a list. It ends where the list becomes another one; `total` is its length, unknown while it loads. */
export function useSelection(address: string, total: number | undefined) {
  const [kept, setKept] = useState(last);
  const holds = kept !== null && kept.address === address && (total === undefined || total === kept.total);
  const select = useCallback((selection: Selection) => {
    last = total === undefined ? null : { address, total, selection };
    setKept(last);
  }, [address, total]);
  return { selection: holds ? kept.selection : NOTHING, select };
}
