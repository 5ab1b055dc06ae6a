import { IconAlertTriangle, IconEye, IconEyeOff, IconLock, IconMessage, IconSparkles } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useRef } from "react";
import { IconButton } from "@/kit/basics";
import { useSignal, type Signal } from "@/kit/signal";
import { kindText } from "@/canvas/shapes";
import { isLocked, OWN } from "../session/wishes";
import type { Row } from "../session/types";

type Props = {
  list: readonly Row[];
  chosen: ReadonlySet<string>;
  last: string | null;
  hidden: ReadonlySet<string>;
  hover: Signal<string | null>;
  colourOf: (row: Row) => string;
  /** Annotations that lack a required attribute, and those with a remark. */
  lacking: ReadonlySet<string>;
  remarked: ReadonlySet<string>;
  onPick: (id: string, adds: boolean) => void;
  onFlip: (id: string) => void;
};

const ROW = 26;

/** All annotations of the image; only the rows in sight are in the page. */
export function ObjectList(props: Props) {
  const { list, chosen, last } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: list.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, getItemKey: (at) => list[at]?.id ?? at, overscan: 8 });
  const at = last === null ? -1 : list.findIndex(({ id }) => id === last);
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [at]);
  if (list.length === 0) return <p className="dim objects-none">Nothing is drawn yet. Choose a class by its key and a tool from the rail.</p>;
  return (
    <div ref={scroller} className="objects" role="list" aria-label="Annotations" tabIndex={-1} onMouseLeave={() => props.hover.set(null)}>
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map((item) => {
          const row = list[item.index];
          return row ? (
            <div key={item.key} role="listitem" aria-setsize={list.length} aria-posinset={item.index + 1} className="virtual-row" style={{ height: ROW, transform: `translateY(${item.start}px)` }}>
              <ObjectRow
                row={row} isChosen={chosen.has(row.id)} isHidden={props.hidden.has(row.id)} isLacking={props.lacking.has(row.id)} isRemarked={props.remarked.has(row.id)}
                colour={props.colourOf(row)} hover={props.hover} onPick={props.onPick} onFlip={props.onFlip}
              />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

type RowProps = Pick<Props, "hover" | "onPick" | "onFlip"> & { row: Row; isChosen: boolean; isHidden: boolean; isLacking: boolean; isRemarked: boolean; colour: string };

const ObjectRow = memo(function ObjectRow({ row, isChosen, isHidden, isLacking, isRemarked, colour, hover, onPick, onFlip }: RowProps) {
  const isHovered = useSignal(hover, (id) => id === row.id);
  const group = row.attributes[OWN.group];
  return (
    <div className="object" data-lit={isHovered} data-chosen={isChosen} data-hidden={isHidden}>
      <button
        type="button" className="object-main" aria-current={isChosen} onMouseEnter={() => hover.set(row.id)} onFocus={() => hover.set(row.id)}
        onClick={(event) => onPick(row.id, event.shiftKey)}
      >
        <i className="dot" style={{ background: colour }} />
        <span className="cut">{row.class}</span>
        {isLacking ? <IconAlertTriangle size={13} className="warn" aria-label="lacks a required attribute" /> : null}
        {isRemarked ? <IconMessage size={13} className="warn" aria-label="has a remark" /> : null}
        {row.origin === "prelabel" ? <IconSparkles size={13} className="dim" aria-label="prelabel" /> : null}
        {isLocked(row) ? <IconLock size={12} className="dim" aria-label="locked" /> : null}
        {group === undefined ? null : <span className="object-group" title="In a group">{String(group).slice(-3)}</span>}
        <span className="dim object-kind">{kindText(row.kind)}</span>
      </button>
      <IconButton className="small" label={isHidden ? `Show the ${row.class}` : `Hide the ${row.class}`} onClick={() => onFlip(row.id)}>{isHidden ? <IconEyeOff size={13} /> : <IconEye size={13} />}</IconButton>
    </div>
  );
});
