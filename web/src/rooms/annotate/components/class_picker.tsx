import { classColour } from "@/canvas/colours";
import { keysOf } from "@/kit/commands";
import { KeyHint } from "@/kit/basics";
import { count } from "@/kit/format";
import { Picker } from "@/kit/picker";
import type { ClassOf } from "./changes";

type Props = { classes: readonly ClassOf[]; current: number; label: string; onPick: (to: ClassOf) => void; onDone: () => void };

/** The classes, the most used first; nine of them have a digit. */
export const byUse = (classes: readonly ClassOf[]): ClassOf[] => [...classes].sort((a, b) => b.annotations - a.annotations || a.id - b.id);

/** Type to narrow the classes, Enter to take one. */
export function ClassPicker({ classes, current, label, onPick, onDone }: Props) {
  return (
    <div
      className="class-picker"
      {...keysOf({ Escape: onDone })}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && onDone()}
    >
      <Picker
        label={label} placeholder="Type a class" empty="No class with this name. Classes are added by imports and contracts." onDone={onDone}
        items={byUse(classes).map((one, at) => ({
          id: String(one.id), title: one.name, group: "Classes", chosen: one.id === current,
          icon: <i className="dot" style={{ background: classColour(one.id) }} />,
          hint: <><span className="dim">{count(one.annotations)}</span>{at < 9 ? <KeyHint keys={String(at + 1)} /> : null}</>,
          run: () => one.id !== current && onPick(one),
        }))}
      />
    </div>
  );
}
