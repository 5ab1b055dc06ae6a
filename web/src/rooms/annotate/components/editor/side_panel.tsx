import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useMemo, type RefObject } from "react";
import { IconButton } from "@/kit/basics";
import { count } from "@/kit/format";
import type { Signal } from "@/kit/signal";
import { missingOf } from "../session/wishes";
import type { Row, Thread } from "../session/types";
import { colourOfClass } from "./colours";
import { CopiesPanel } from "./copies_panel";
import { ObjectList } from "./object_list";
import { Remarks } from "./remarks";
import type { Review } from "./review";
import { SelectedPanel } from "./selected_panel";
import type { Editor } from "./use_editor";

type Props = {
  editor: Editor;
  order: readonly Row[];
  chosen: readonly string[];
  hidden: ReadonlySet<string>;
  hiddenClasses: ReadonlySet<number>;
  hover: Signal<string | null>;
  colourOf: (row: Row) => string;
  fields: RefObject<HTMLElement | null>;
  review: Review;
  onHide: (id: number) => void;
  onFlip: (id: string) => void;
  onShow: (id: string) => void;
};

/** Beside the image: what is selected, all annotations, the copies of a review, remarks. */
export function SidePanel({ editor, order, chosen, hidden, hiddenClasses, hover, colourOf, fields, review, onHide, onFlip, onShow }: Props) {
  const { work, rows, selected } = editor;
  const lacking = useMemo(() => {
    const classes = new Map(work.classes.map((one) => [one.name, one]));
    return new Set(rows.filter((row) => missingOf(row, classes.get(row.class)).length > 0).map(({ id }) => id));
  }, [rows, work.classes]);
  const remarked = useMemo(() => new Set(work.remarks.filter(({ state }) => state === "open").map(({ annotation }) => annotation)), [work.remarks]);
  const used = useMemo(() => work.classes.filter((one) => rows.some((row) => row.class_id === one.id)), [work.classes, rows]);
  const shown = hiddenClasses.size ? order.filter((row) => !hiddenClasses.has(row.class_id)) : order;
  return (
    <aside className="work-side" aria-label="Annotations and attributes">
      <SelectedPanel editor={editor} first={fields} />
      <CopiesPanel work={work} isOver={review.isOver} isBeside={review.isBeside} marks={review.marks} onShow={onShow} nameOf={(id) => editor.byId.get(id)?.class ?? "annotation"} />
      <Remarks threads={work.remarks} onShow={(thread: Thread) => thread.annotation && onShow(thread.annotation)} />
      <section className="objects-section" aria-label="All annotations">
        <header><h2>Annotations</h2><span className="dim num">{count(rows.length)}{lacking.size ? `, ${count(lacking.size)} incomplete` : ""}</span></header>
        {used.length > 1 ? (
          <div className="class-filter" role="group" aria-label="Show classes">
            {used.map((one) => (
              <IconButton key={one.id} className="small" label={hiddenClasses.has(one.id) ? `Show ${one.name}` : `Hide ${one.name}`} aria-pressed={!hiddenClasses.has(one.id)} onClick={() => onHide(one.id)}>
                <i className="dot" style={{ background: colourOfClass(one) }} />{hiddenClasses.has(one.id) ? <IconEyeOff size={12} /> : <IconEye size={12} />}
              </IconButton>
            ))}
          </div>
        ) : null}
        <ObjectList
          list={shown} chosen={useMemo(() => new Set(chosen), [chosen])} last={selected?.id ?? null} hidden={hidden} hover={hover} colourOf={colourOf} lacking={lacking} remarked={remarked}
          onPick={editor.select} onFlip={onFlip}
        />
      </section>
    </aside>
  );
}
