import { IconTag, IconTrash } from "@tabler/icons-react";
import { useRef } from "react";
import type { FullAnnotation } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";
import { canReshape } from "@/canvas/reshape";
import { Button, KeyHint } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { CLASS_KEYS, SELECTED_KEYS } from "../keys";
import { Attributes } from "./attributes";
import { remove, setAttributes, setClass, type ClassOf } from "./changes";
import { byUse, ClassPicker } from "./class_picker";
import type { Editing } from "./use_editing";

type Props = {
  a: FullAnnotation;
  classes: readonly ClassOf[];
  editing: Editing;
  /** Whether a class is being chosen, and what is done once one is. */
  picking: { after?: () => Promise<unknown> } | null;
  onPicking: (picking: { after?: () => Promise<unknown> } | null) => void;
  /** Remove the active vertex; false where none is active. */
  onRemoveVertex: () => boolean;
  onRemoved: () => void;
};

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** What can be changed of the selected annotation. */
export function AnnotationEditor({ a, classes, editing, picking, onPicking, onRemoveVertex, onRemoved }: Props) {
  const attribute = useRef<HTMLInputElement>(null);
  const give = (to: ClassOf | undefined, after?: () => Promise<unknown>) => {
    if (to && to.id !== a.class_id) editing.stage(setClass(a, to), after ? { after } : {});
  };
  const drop = () => {
    onRemoved();
    editing.stage(remove(a));
  };
  const used = byUse(classes);
  useCommands(SELECTED_KEYS, {
    "edit.class": () => onPicking({}),
    "edit.delete": () => onRemoveVertex() || drop(),
    "edit.attributes": () => attribute.current?.focus(),
  });
  useCommands(CLASS_KEYS, Object.fromEntries(DIGITS.map((n) => [`edit.class-${n}`, () => give(used[n - 1])])) as Record<keyof typeof CLASS_KEYS, () => void>);
  return (
    <section className="annotation-editor" aria-label={`Edit the ${a.class}`}>
      <header>
        <h2>Edit</h2>
        <span className="dim section-meta">{canReshape(a) ? "arrows move it, v its points" : "its shape cannot be edited here"}</span>
      </header>
      <div className="editor-actions">
        <Button className="small editor-class" command="edit.class" aria-expanded={picking !== null} onClick={() => onPicking(picking ? null : {})}>
          <i className="dot" style={{ background: classColour(a.class_id) }} /><span className="cut">{a.class}</span><IconTag size={13} /><KeyHint keys="c" />
        </Button>
        <Button className="small" look="quiet" command="edit.delete" onClick={drop} title="Delete the annotation"><IconTrash size={13} /> Delete</Button>
      </div>
      {picking ? (
        <ClassPicker classes={classes} current={a.class_id} label={`Class of the ${a.class}`} onPick={(to) => give(to, picking.after)} onDone={() => onPicking(null)} />
      ) : null}
      <Attributes key={a.id} a={a} first={attribute} onSet={(attributes) => editing.stage(setAttributes(a, attributes))} />
    </section>
  );
}
