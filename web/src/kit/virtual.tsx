import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";

/** A long list of rows: only those near the screen are rendered. `onRange` tells which, so that pages can be asked for; the row `at` is kept in sight. */
export function VirtualRows({ total, height, label, row, onRange, at }: {
  total: number;
  height: number;
  label: string;
  row: (index: number) => ReactNode;
  onRange?: (first: number, last: number) => void;
  at?: number | undefined;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    onChange: (list) => {
      const seen = list.getVirtualItems();
      onRange?.(seen[0]?.index ?? 0, seen.at(-1)?.index ?? 0);
    },
  });
  useEffect(() => {
    if (at !== undefined && at >= 0) rows.scrollToIndex(at);
  }, [at, rows]);
  return (
    <div ref={scroller} className="virtual" role="list" aria-label={label} tabIndex={0}>
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map((item) => (
          <div key={item.key} ref={rows.measureElement} data-index={item.index} role="listitem" className="virtual-row" style={{ transform: `translateY(${item.start}px)` }}>
            {row(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
