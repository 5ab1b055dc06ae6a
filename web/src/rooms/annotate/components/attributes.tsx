import { IconPlus, IconX } from "@tabler/icons-react";
import { useRef, useState, type RefObject } from "react";
import type { FullAnnotation } from "@/api/schema.gen";
import { keysOf } from "@/kit/commands";
import { IconButton } from "@/kit/basics";
import { shown } from "@/kit/format";

type Props = { a: FullAnnotation; first: RefObject<HTMLInputElement | null>; onSet: (attributes: Record<string, unknown>) => void };

/** The attributes of an annotation as fields; Enter or leaving a field sets it. */
export function Attributes({ a, first, onSet }: Props) {
  const [name, setName] = useState("");
  const value = useRef<HTMLInputElement>(null);
  const entries = Object.entries(a.attributes);
  const add = () => {
    const key = name.trim();
    if (!key || !value.current?.value) return;
    onSet({ [key]: parsed(value.current.value) });
    setName("");
    value.current.value = "";
  };
  return (
    <div className="attribute-rows">
      {entries.map(([key, held], at) => (
        <div key={key} className="attribute-row">
          <label className="cut dim" htmlFor={`attribute-${a.id}-${key}`} title={key}>{key}</label>
          {typeof held === "boolean" ? (
            <input id={`attribute-${a.id}-${key}`} ref={at === 0 ? first : undefined} type="checkbox" checked={held} onChange={(event) => onSet({ [key]: event.target.checked })} />
          ) : (
            <input
              key={shown(held)} id={`attribute-${a.id}-${key}`} ref={at === 0 ? first : undefined} className="field" defaultValue={held === null ? "" : asText(held)} spellCheck={false}
              onBlur={(event) => event.target.value !== asText(held) && onSet({ [key]: parsed(event.target.value, held) })}
              {...keysOf({ Enter: () => leave(), Escape: () => leave(asText(held)) })}
            />
          )}
          <IconButton className="small" label={`Remove ${key}`} onClick={() => onSet({ [key]: null })}><IconX size={12} /></IconButton>
        </div>
      ))}
      <form
        className="attribute-row"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <input ref={entries.length === 0 ? first : undefined} className="field" placeholder="attribute" aria-label="Name of a new attribute" value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
        <input ref={value} className="field" placeholder="value" aria-label="Value of the new attribute" />
        <IconButton className="small" label="Add the attribute" type="submit" disabled={!name.trim()}><IconPlus size={13} /></IconButton>
      </form>
    </div>
  );
}

const asText = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

function leave(held?: string): void {
  const field = document.activeElement;
  if (!(field instanceof HTMLInputElement)) return;
  if (held !== undefined) field.value = held;
  field.blur();
}

/** What was typed as the kind of value that it replaces: text stays text, numbers and truth values are read. */
function parsed(text: string, before?: unknown): unknown {
  if (typeof before === "string") return text;
  if (typeof before === "object" && before !== null) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
