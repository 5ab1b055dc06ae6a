import { IconTag, IconTrash } from "@tabler/icons-react";
import { useRef } from "react";
import type { FullAnnotation } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";
import { isPainting } from "@/canvas/gestures";
import { canReshape } from "@/canvas/reshape";
import { isTurned } from "@/canvas/turned";
import { Button, KeyHint } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { CLASS_KEYS, SELECTED_KEYS } from "../keys";
import { Attributes } from "./attributes";
import { remove, setAttributes, setClass, setShape, type ClassOf } from "./changes";
import { byUse, ClassPicker } from "./class_picker";
import { Keypoints } from "./keypoints";
import { MaskTools, type MaskToolsProps } from "./mask_tools";
import type { Editing } from "./use_editing";

type Props = {
  a: FullAnnotation;
  classes: readonly ClassOf[];
  editing: Editing;
  /** Whether a class is being chosen, and what is done once one is. */
  picking: { after?: () => Promise<unknown> } | null;
  onPicking: (picking: { after?: () => Promise<unknown> } | null) => void;
  /** How a mask is painted. */
  painting: MaskToolsProps;
  /** Remove the active point; false where none is active. */
  onRemovePoint: () => boolean;
  onRemoved: () => void;
};

const NO_NAMES: readonly string[] = [];
const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** What can be changed of the selected annotation. */
export function AnnotationEditor({ a, classes, editing, picking, painting, onPicking, onRemovePoint, onRemoved }: Props) {
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
    "edit.delete": () => onRemovePoint() || drop(),
    "edit.attributes": () => attribute.current?.focus(),
  });
  useCommands(CLASS_KEYS, Object.fromEntries(DIGITS.map((n) => [`edit.class-${n}`, () => give(used[n - 1])])) as Record<keyof typeof CLASS_KEYS, () => void>);
  return (
    <section className="annotation-editor" aria-label={`Edit the ${a.class}`}>
      <header>
        <h2>Edit</h2>
        <span className="dim section-meta">{hintOf(a, isPainting(painting.tool))}</span>
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
      {a.mask ? <MaskTools {...painting} /> : null}
      {a.keypoints.length ? <Keypoints a={a} names={classes.find((one) => one.id === a.class_id)?.keypoints ?? NO_NAMES} onChange={(next) => editing.stage(setShape(a, next))} /> : null}
      <Attributes key={a.id} a={a} first={attribute} onSet={(attributes) => editing.stage(setAttributes(a, attributes))} />
    </section>
  );
}

function hintOf(a: FullAnnotation, isPainted: boolean): string {
  if (!canReshape(a)) return "it has no shape";
  if (a.mask) return isPainted ? "arrows move the brush" : "arrows move it";
  return isTurned(a) ? "arrows move it, v edges, r turns" : a.kind === "box" ? "arrows move it, v its edges" : "arrows move it, v its points";
}
