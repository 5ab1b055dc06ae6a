import { IconCopy, IconEyeOff, IconLock, IconLockOpen, IconTrash } from "@tabler/icons-react";
import type { RefObject } from "react";
import { kindText } from "@/canvas/shapes";
import { IconButton } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { Keypoints } from "../keypoints";
import { isLocked } from "../session/wishes";
import type { Row } from "../session/types";
import { AttributeForm } from "./attribute_form";
import { colourOfClass } from "./colours";
import type { Editor } from "./use_editor";

const ORIGINS: Readonly<Record<Row["origin"], string>> = { drawn: "drawn", prelabel: "prelabel", adjusted: "prelabel, adjusted", imported: "imported" };

/** The selected annotation: what it is, and what can be done with it. */
export function SelectedPanel({ editor, first }: { editor: Editor; first: RefObject<HTMLElement | null> }) {
  const { selected, all, foreign, editable } = editor;
  if (foreign) {
    return (
      <section aria-label="Selected annotation">
        <header><h2>{foreign.row.class}</h2><span className="dim">in the copy of {foreign.author}</span></header>
        <p className="dim">Shift T takes it into the labels that you accept.</p>
      </section>
    );
  }
  if (!selected) return null;
  const one = editor.classOf(selected);
  return (
    <section aria-label="Selected annotation">
      <header>
        <h2><i className="dot" style={{ background: one ? colourOfClass(one) : undefined }} /> {all.length > 1 ? plural(all.length, "annotation") : selected.class}</h2>
        <span className="selected-actions">
          <IconButton className="small" label="Duplicate" command="object.duplicate" disabled={!editable}><IconCopy size={14} /></IconButton>
          <IconButton className="small" label={isLocked(selected) ? "Unlock" : "Lock"} command="object.lock" disabled={!editable}>{isLocked(selected) ? <IconLock size={14} /> : <IconLockOpen size={14} />}</IconButton>
          <IconButton className="small" label="Hide" command="object.hide"><IconEyeOff size={14} /></IconButton>
          <IconButton className="small" label="Delete" command="draw.delete" disabled={!editable}><IconTrash size={14} /></IconButton>
        </span>
      </header>
      {one?.definition ? <p className="selected-definition dim">{one.definition}</p> : null}
      <p className="dim selected-facts">{factsOf(selected)}</p>
      <AttributeForm row={selected} one={one} first={first} editable={editable && !isLocked(selected)} onSet={(values) => editor.all.forEach((row) => editor.attributes(row, values))} onLeave={() => editor.stage.current?.focus()} />
      {selected.keypoints.length ? <Keypoints a={selected} names={one?.keypoints ?? []} onChange={(next) => editor.reshape(selected, next)} /> : null}
    </section>
  );
}

function factsOf(row: Row): string {
  const points = row.rings.reduce((sum, ring) => sum + ring.length / 2, 0);
  return [
    kindText(row.kind), row.bbox && row.kind !== "point" ? `${Math.round(row.bbox[2])} × ${Math.round(row.bbox[3])} px` : "",
    (row.kind === "polygon" || row.kind === "polyline") && points ? plural(points, "point") : "", row.kind === "polygon" && row.rings.length > 1 ? `${row.rings.length} parts` : "",
    row.kind === "mask" && row.area ? `${count(Math.round(row.area))} px` : "", ORIGINS[row.origin] ?? "", row.author ? `by ${row.author}` : "",
  ].filter(Boolean).join(", ");
}
