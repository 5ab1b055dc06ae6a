import { IconColumns2, IconStack2 } from "@tabler/icons-react";
import { IconButton } from "@/kit/basics";
import { plural } from "@/kit/format";
import type { Work } from "../session/types";

export type Mark = { category: string; note: string };

/** Why something is sent back. */
export const CATEGORIES = ["wrong-class", "loose-shape", "missing", "extra", "attributes", "other"] as const;

type Props = { work: Work; isOver: boolean; isBeside: boolean; marks: ReadonlyMap<string, Mark>; nameOf: (id: string) => string; onShow: (id: string) => void };

/** In a review: the blind copies of the image, and what is to be sent back of it. */
export function CopiesPanel({ work, isOver, isBeside, marks, nameOf, onShow }: Props) {
  return (
    <>
      {work.others.length ? (
        <section aria-label="Copies">
          <header>
            <h2>Copies</h2>
            <span className="selected-actions">
              <IconButton className="small" label="Over the image" aria-pressed={isOver} command="review.copies"><IconStack2 size={14} /></IconButton>
              <IconButton className="small" label="Side by side" aria-pressed={isBeside} command="review.beside"><IconColumns2 size={14} /></IconButton>
            </span>
          </header>
          <ul className="copies">
            {work.others.map((copy, at) => <li key={copy.assignment}><i className="copy-line" data-pattern={at + 1} /><span className="cut">{copy.author}</span><span className="dim num">{plural(copy.annotations.length, "annotation")}</span></li>)}
          </ul>
        </section>
      ) : null}
      {marks.size ? (
        <section aria-label="To be sent back">
          <header><h2>To be sent back</h2><span className="dim num">{marks.size}</span></header>
          <ul className="remarks">
            {[...marks].map(([id, mark]) => (
              <li key={id}><button type="button" className="remark" onClick={() => onShow(id)}><strong>{nameOf(id)}</strong> {mark.category.replaceAll("-", " ")}{mark.note ? `: ${mark.note}` : ""}</button></li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}
