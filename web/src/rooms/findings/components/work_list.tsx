import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import type { FindingGroup, ListedFinding } from "@/api/schema.gen";
import { Skeleton } from "@/kit/basics";
import { Rows } from "./rows";
import { GroupHead, HEAD_HEIGHT, ROW_HEIGHT, WorkRow } from "./work_row";
import { filterOf } from "./words";

type Props = {
  dataset: string;
  total: number;
  groups: readonly FindingGroup[];
  by: string;
  withCheck: boolean;
  /** Place -> finding, as far as they are loaded. */
  items: ReadonlyMap<number, ListedFinding>;
  at: number;
  /** The first row on the screen, when the list is opened. */
  top: number;
  isTicked: (key: string) => boolean;
  onShow: (place: number) => void;
  onTick: (place: number, range: boolean) => void;
  onRange: (first: number, last: number, top: number) => void;
  onGroup: (filter: Record<string, string>) => void;
};

/** The findings to work through: rows below the heads of their groups; only those near the screen are rendered. */
export function WorkList({ dataset, total, groups, by, withCheck, items, at, top, isTicked, onShow, onTick, onRange, onGroup }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => new Rows(groups, total), [groups, total]);
  const virtual = useVirtualizer({
    count: rows.total,
    getScrollElement: () => scroller.current,
    estimateSize: (row) => ("head" in rows.at(row) ? HEAD_HEIGHT : ROW_HEIGHT),
    overscan: 6,
    getItemKey: (row) => {
      const one = rows.at(row);
      return "head" in one ? `group ${one.head}` : one.finding;
    },
    onChange: (list) => {
      const seen = list.getVirtualItems();
      const place = (row: number) => {
        const one = rows.at(row);
        return "finding" in one ? one.finding : findingAfter(rows, row);
      };
      if (seen.length) onRange(place(seen[0]?.index ?? 0), place(seen.at(-1)?.index ?? 0), list.range?.startIndex ?? 0);
    },
  });
  const opened = useRef(false);
  useEffect(() => {
    virtual.measure();
  }, [rows, virtual]);
  useEffect(() => {
    if (!rows.total) return;
    if (!opened.current && top) virtual.scrollToIndex(top, { align: "start" });
    else virtual.scrollToIndex(rows.of(at), { align: "auto" });
    opened.current = true;
    // the place of the list is taken from the address once, when it is opened
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [at, rows]);
  const current = items.get(at);
  return (
    <div
      ref={scroller} className="work-list" role="listbox" aria-label="Findings" aria-multiselectable="true" tabIndex={0}
      aria-activedescendant={current ? `finding-${current.key}` : undefined}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows.at(item.index);
          const style = { transform: `translateY(${item.start}px)`, height: item.size };
          if ("head" in row) {
            const group = groups[row.head];
            const filter = group ? filterOf(group.value, by) : null;
            return (
              <div key={item.key} role="presentation" className="virtual-row" style={style}>
                {group ? <GroupHead group={group} by={by} {...(filter ? { onChoose: () => onGroup(filter) } : {})} /> : null}
              </div>
            );
          }
          const finding = items.get(row.finding);
          return (
            <div key={item.key} role="presentation" className="virtual-row" style={style}>
              {finding ? (
                <WorkRow
                  finding={finding} dataset={dataset} withCheck={withCheck} current={row.finding === at} ticked={isTicked(finding.key)}
                  onTick={(event) => onTick(row.finding, event.shiftKey)}
                  onShow={(event) => (event.shiftKey || event.metaKey || event.ctrlKey ? onTick(row.finding, event.shiftKey) : onShow(row.finding))}
                />
              ) : <div className="work-row"><Skeleton height={42} width={42} /><Skeleton height={30} /></div>}
            </div>
          );
        })}
      </div>
    </div>
  );
}

const findingAfter = (rows: Rows, row: number): number => {
  const next = rows.at(Math.min(row + 1, rows.total - 1));
  return "finding" in next ? next.finding : 0;
};
