import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useRef } from "react";
import type { FullAnnotation } from "@/api/schema.gen";
import type { ColourOf } from "@/canvas/colour_by";
import { classColour } from "@/canvas/colours";
import { IconButton } from "@/kit/basics";
import { shown } from "@/kit/format";
import { useSignal, type Signal } from "@/kit/signal";
import { describe, marksOf, otherAttributes } from "./annotation_text";

type Props = {
  list: readonly FullAnnotation[];
  hidden: ReadonlySet<number>;
  hover: Signal<string | null>;
  selected: string | null;
  /** Annotations with open findings. */
  flagged: ReadonlySet<string>;
  /** By class where it is absent. */
  colourOf?: ColourOf | undefined;
  /** Whether the selected row says its attributes; an editor beside the list says them better. */
  detailed: boolean;
  onPick: (id: string) => void;
  onFlip: (classId: number) => void;
};

const [ROW, WITH_TEXT] = [25, 46];

/** The annotations of a label set; only the rows in sight are in the page, however many there are. */
export function AnnotationList({ list, hidden, hover, selected, flagged, colourOf, detailed, onPick, onFlip }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: list.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (list[index]?.text ? WITH_TEXT : ROW),
    getItemKey: (index) => list[index]?.id ?? index,
    overscan: 6,
  });
  const at = selected === null ? -1 : list.findIndex((a) => a.id === selected);
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [at]);
  if (list.length === 0) return <p className="dim">No annotations in this label set.</p>;
  return (
    <div ref={scroller} className="annotation-list" role="list" aria-label="Annotations" tabIndex={-1} onMouseLeave={() => hover.set(null)}>
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map((item) => {
          const a = list[item.index];
          if (!a) return null;
          return (
            <div
              key={item.key} ref={rows.measureElement} data-index={item.index} role="listitem" aria-setsize={list.length} aria-posinset={item.index + 1}
              className="virtual-row" style={{ transform: `translateY(${item.start}px)` }}
            >
              <Row
                a={a} isHidden={hidden.has(a.class_id)} isSelected={a.id === selected} isFlagged={flagged.has(a.id)} detailed={detailed}
                colour={(colourOf ?? byClass)(a)} hover={hover} onPick={onPick} onFlip={onFlip}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

type RowProps = Pick<Props, "hover" | "detailed" | "onPick" | "onFlip"> & { a: FullAnnotation; isHidden: boolean; isSelected: boolean; isFlagged: boolean; colour: string };

const byClass: ColourOf = (a) => classColour(a.class_id);

const Row = memo(function Row({ a, isHidden, isSelected, isFlagged, colour, detailed, hover, onPick, onFlip }: RowProps) {
  const isHovered = useSignal(hover, (id) => id === a.id);
  return (
    <div className="annotation" data-lit={isHovered} data-selected={isSelected} data-hidden={isHidden}>
      <button type="button" className="annotation-main" aria-current={isSelected} onMouseEnter={() => hover.set(a.id)} onFocus={() => hover.set(a.id)} onClick={() => onPick(a.id)}>
        <i className="dot" style={{ background: colour }} />
        <span className="cut">{a.class}</span>
        {marksOf(a).map((mark) => <span key={mark} className="annotation-mark">{mark}</span>)}
        {isFlagged ? <span className="annotation-flag" title="Has open findings"><span className="hidden-label">has open findings</span></span> : null}
        <span className="dim annotation-kind" title={describe(a)}>{describe(a)}</span>
      </button>
      <IconButton className="small" label={isHidden ? `Show ${a.class}` : `Hide ${a.class}`} onClick={() => onFlip(a.class_id)}>
        {isHidden ? <IconEyeOff size={13} /> : <IconEye size={13} />}
      </IconButton>
      {a.text ? <p className={isSelected ? "annotation-text" : "annotation-text cut"}><q>{isSelected ? shown(a.attributes.text) : a.text}</q></p> : null}
      {isSelected && detailed ? <Attributes a={a} /> : null}
    </div>
  );
});

function Attributes({ a }: { a: FullAnnotation }) {
  const facts = otherAttributes(a);
  if (facts.length === 0 && !a.author) return null;
  return (
    <p className="annotation-facts dim">
      {[...facts.map(([key, value]) => `${key}: ${shown(value)}`), a.author ? `by ${a.author}` : ""].filter(Boolean).join(", ")}
    </p>
  );
}
