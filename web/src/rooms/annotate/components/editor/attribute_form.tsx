import type { RefObject } from "react";
import { keysOf } from "@/kit/commands";
import { shown } from "@/kit/format";
import { isOwn } from "../session/wishes";
import type { AttributeOf, Row, WorkClass } from "../session/types";

type Props = { row: Row; one: WorkClass | undefined; first: RefObject<HTMLElement | null>; editable: boolean; onSet: (values: Record<string, unknown>) => void; onLeave: () => void };

/** The attributes of the selected annotation as its class declares them; required ones stand out until they are set. */
export function AttributeForm({ row, one, first, editable, onSet, onLeave }: Props) {
  const declared = one?.attributes ?? [];
  const others = Object.entries(row.attributes).filter(([name]) => !isOwn(name) && !declared.some((attribute) => attribute.name === name));
  if (declared.length === 0 && others.length === 0) return null;
  return (
    <div className="work-attributes" role="group" aria-label="Attributes">
      {declared.map((attribute, at) => {
        const value = row.attributes[attribute.name];
        const isMissing = attribute.required && (value === undefined || value === null || value === "");
        return (
          <label key={`${row.id} ${attribute.name}`} className="work-attribute" data-missing={isMissing}>
            <span className="cut" title={attribute.name}>{attribute.name}{attribute.required ? <em title="required"> *</em> : null}</span>
            <Field attribute={attribute} value={value} editable={editable} isMissing={isMissing} first={at === 0 ? first : undefined} onSet={(next) => onSet({ [attribute.name]: next })} onLeave={onLeave} />
          </label>
        );
      })}
      {others.map(([name, value]) => <p key={name} className="work-attribute"><span className="cut dim">{name}</span><span className="cut">{shown(value)}</span></p>)}
    </div>
  );
}

type FieldProps = { attribute: AttributeOf; value: unknown; editable: boolean; isMissing: boolean; first: RefObject<HTMLElement | null> | undefined; onSet: (value: unknown) => void; onLeave: () => void };

function Field({ attribute, value, editable, isMissing, first, onSet, onLeave }: FieldProps) {
  const common = { disabled: !editable, "aria-invalid": isMissing, "aria-label": attribute.name, ref: first as never, ...keysOf({ Escape: onLeave, "mod+Enter": () => false }) };
  if (attribute.type === "choice" || attribute.type === "boolean") {
    const choices = attribute.type === "boolean" ? ["true", "false"] : attribute.choices.map(String);
    const named: Record<string, string> = attribute.type === "boolean" ? { true: "yes", false: "no" } : {};
    const read = (text: string) => (text === "" ? null : attribute.type === "boolean" ? text === "true" : (attribute.choices.find((choice) => String(choice) === text) ?? text));
    // The keys belong to the editor again once a value is chosen.
    const choose = (select: HTMLSelectElement) => (onSet(read(select.value)), select.blur());
    return (
      <select {...common} className="field" value={value === undefined || value === null ? "" : String(value)} onChange={(event) => choose(event.currentTarget)}>
        <option value="">{attribute.required ? "choose…" : "not set"}</option>
        {choices.map((choice) => <option key={choice} value={choice}>{named[choice] ?? choice}</option>)}
      </select>
    );
  }
  const text = value === undefined || value === null ? "" : String(value);
  const take = (typed: string) => {
    if (typed === text) return;
    const number = Number(typed);
    if (attribute.type === "number" && typed.trim() !== "" && !Number.isFinite(number)) return;
    onSet(typed.trim() === "" ? null : attribute.type === "number" ? number : typed);
  };
  return (
    <input
      {...common} key={text} className="field" defaultValue={text} inputMode={attribute.type === "number" ? "decimal" : "text"} spellCheck={false} maxLength={1000}
      onBlur={(event) => take(event.target.value)} {...keysOf({ Enter: onLeave, Escape: onLeave, "mod+Enter": () => false })}
    />
  );
}
