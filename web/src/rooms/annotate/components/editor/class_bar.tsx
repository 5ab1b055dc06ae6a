import { useMemo } from "react";
import { KeyHint } from "@/kit/basics";
import { count } from "@/kit/format";
import type { WorkClass } from "../session/types";
import { classKeys, commandOf } from "./class_keys";
import { colourOfClass } from "./colours";
import type { Editor } from "./use_editor";

/** The classes with their keys: what is drawn next, or what is selected, gets the one that is pressed. */
export function ClassBar({ editor }: { editor: Editor }) {
  const { work, current, selected, tool } = editor;
  const keys = useMemo(() => classKeys(work.classes), [work.classes]);
  const counts = useMemo(() => {
    const counts = new Map<string, number>();
    for (const row of editor.rows) counts.set(row.class, (counts.get(row.class) ?? 0) + 1);
    return counts;
  }, [editor.rows]);
  const lit = tool === "select" && selected ? selected.class : current?.name;
  return (
    <div className="class-bar" role="toolbar" aria-label="Classes">
      {work.classes.map((one, at) => (
        <button
          key={one.id} type="button" className="class-chip" data-command={commandOf(one)} aria-pressed={one.name === lit} title={titleOf(one)}
          onClick={() => editor.takeClass(one)} style={{ "--class": colourOfClass(one) } as never}
        >
          <i className="dot" /><span className="cut">{one.name}</span>
          {counts.get(one.name) ? <span className="num dim">{count(counts.get(one.name) ?? 0)}</span> : null}
          {keys[at] ? <KeyHint keys={keys[at]} /> : null}
        </button>
      ))}
    </div>
  );
}

const titleOf = (one: WorkClass): string => [one.name, one.definition, one.tools.length ? `Drawn as ${one.tools.join(", ")}` : ""].filter(Boolean).join("\n");
