import { IconClipboardList, IconX } from "@tabler/icons-react";
import { useId, useState } from "react";
import type { Overview } from "@/api/schema.gen";
import { everything, NOTHING, size, type Selection } from "@/grid/selection";
import { Button, IconButton, KeyHint } from "@/kit/basics";
import { keysOf, useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { OBJECT_EDIT_KEYS, SELECTION_KEYS } from "../keys";
import type { Bulk } from "./bulk";

type Props = {
  data: Overview | undefined;
  selection: Selection;
  total: number;
  bulk: Bulk;
  editable: boolean;
  onSelection: (next: Selection) => void;
};

/** What can be done with the chosen objects. */
export function ObjectBar({ data, selection, total, bulk, editable, onSelection }: Props) {
  const [isNaming, setNaming] = useState(false);
  const n = size(selection);
  useCommands(SELECTION_KEYS, {
    "selection.clear": () => (isNaming ? setNaming(false) : onSelection(NOTHING)),
    "selection.copy": () => void bulk.copyIds(selection, total),
  });
  const remove = () => void bulk.apply({ title: "Delete", of: (annotation) => ({ do: "delete", annotation }) }, selection, total);
  return (
    <section className="selection-bar" aria-label="Selection">
      <span className="selection-count" aria-live="polite">{count(n)} selected</span>
      {isNaming ? (
        <ClassForm
          classes={data?.classes ?? []} onDone={() => setNaming(false)}
          onClass={(name) => {
            setNaming(false);
            void bulk.apply({ title: `Set class ${name}`, of: (annotation) => ({ do: "set-class", annotation, class: name }) }, selection, total);
          }}
        />
      ) : (
        <>
          {n < total ? <Button look="quiet" className="small" command="grid.all" onClick={() => onSelection(everything(total))}>Select all {count(total)}</Button> : null}
          {editable ? (
            <span className="selection-tools">
              <Edits onClass={() => setNaming(true)} onDelete={remove} />
              <Button className="small" command="objects.class">Set class <KeyHint keys="l" /></Button>
              <Button className="small" command="objects.delete">Delete <KeyHint keys="Delete" /></Button>
            </span>
          ) : null}
          <span className="selection-tools">
            <IconButton className="small" label="Copy the ids" command="selection.copy"><IconClipboardList size={16} /></IconButton>
            <IconButton className="small" label="Clear the selection" command="selection.clear"><IconX size={15} /></IconButton>
          </span>
        </>
      )}
    </section>
  );
}

function Edits({ onClass, onDelete }: { onClass: () => void; onDelete: () => void }) {
  useCommands(OBJECT_EDIT_KEYS, { "objects.class": onClass, "objects.delete": onDelete });
  return null;
}

function ClassForm({ classes, onClass, onDone }: { classes: Overview["classes"]; onClass: (name: string) => void; onDone: () => void }) {
  const [typed, setTyped] = useState("");
  const id = useId();
  const known = classes.find((one) => one.name === typed.trim());
  return (
    <form
      className="selection-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (known) onClass(known.name);
      }}
    >
      <label htmlFor={`${id}-field`}>Class</label>
      <input
        id={`${id}-field`} className="field" autoFocus list={`${id}-known`} maxLength={500} value={typed} autoComplete="off" spellCheck={false}
        onChange={(event) => setTyped(event.target.value)} {...keysOf({ Escape: onDone })}
      />
      <datalist id={`${id}-known`}>{classes.map((one) => <option key={one.id} value={one.name} />)}</datalist>
      <Button look="first" className="small" type="submit" disabled={!known}>Apply</Button>
      <Button look="quiet" className="small" onClick={onDone}>Cancel</Button>
    </form>
  );
}
