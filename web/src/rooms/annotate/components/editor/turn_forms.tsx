import { CATEGORIES } from "./copies_panel";
import type { Review } from "./review";
import type { Editor } from "./use_editor";
import type { Turns } from "./use_turns";
import { WorkForm } from "./work_form";

export type FormName = "skip" | "release" | "ask" | "send-back";
type Props = { form: FormName | null; editor: Editor; turns: Turns; review: Review; onClose: () => void };

/** The form that is open over the image, if one is. */
export function TurnForms({ form, editor, turns, review, onClose }: Props) {
  const { selected, work } = editor;
  const done = (run: () => void) => {
    onClose();
    run();
  };
  if (form === "skip" || form === "release") {
    return (
      <WorkForm
        key={form} title={form === "skip" ? "Skip this image" : "Give this image back"} placeholder="Reason" action={form === "skip" ? "Skip" : "Give back"} onClose={onClose}
        about={form === "skip" ? "it is not offered to you again" : "somebody else labels it"} onSend={({ text }) => done(() => turns.leave(form, text))}
      />
    );
  }
  if (form === "ask") {
    const box = selected?.bbox;
    const place = box ? ([Math.round(box[0] + box[2] / 2), Math.round(box[1] + box[3] / 2)] as const) : undefined;
    return (
      <WorkForm
        key="ask" title="Ask" about={selected ? `about the selected ${selected.class}` : "about this image"} placeholder="What is not clear?" action="Ask" onClose={onClose}
        onSend={({ text }) => done(() => void turns.ask({ text, ...(selected ? { annotation: selected.id, class: selected.class } : {}), ...(place ? { place } : {}) }))}
      />
    );
  }
  if (form === "send-back" && work.kind === "review") {
    return (
      <WorkForm
        key={`send-back ${selected?.id ?? ""}`} title={selected ? "Mark for sending back" : "Send the image back"} about={selected ? `the selected ${selected.class}` : ""} placeholder="What is to be done" isOptional
        categories={CATEGORIES} action={selected ? "Mark" : "Send back"} onClose={onClose}
        onSend={({ text, category }) => done(() => (selected ? review.mark(selected.id, { category, note: text }) : turns.sendBack({ category, note: text }, review.marks)))}
      />
    );
  }
  return null;
}
