import { useId, useState } from "react";
import type { Overview } from "@/api/schema.gen";
import { keysOf } from "@/kit/commands";
import { Button } from "@/kit/basics";
import type { BulkEdit } from "./bulk";

export type FormName = "split" | "add" | "remove" | "field";

export const FORMS: readonly { name: FormName; title: string; keys: string; command: string }[] = [
  { name: "split", title: "Set split", keys: "s", command: "selection.split" },
  { name: "add", title: "Add tag", keys: "t", command: "selection.tag" },
  { name: "remove", title: "Remove tag", keys: "u", command: "selection.untag" },
  { name: "field", title: "Set field", keys: "m", command: "selection.field" },
];

const LABELS: Record<FormName, string> = { split: "Split", add: "Tag to add", remove: "Tag to remove", field: "Field" };
const SPLITS = ["train", "val", "test"];

type Fields = Overview["fields"];

/** A value as the type of its field wants it; a new field gets a number if it is one, else text. Null removes it. */
export function valueOf(typed: string, type: Fields[number]["type"] | undefined): string | number | boolean | null {
  const text = typed.trim();
  if (text === "") return null;
  if (type === "bool") return text === "true" || text === "1" || text === "yes";
  const isNumber = type === undefined || type === "int" || type === "float";
  return isNumber && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The edit that a filled form asks for; null while it is not filled. */
export function editOf(name: FormName, typed: string, value: string, fields: Fields): BulkEdit | null {
  const text = typed.trim();
  if (name === "split") return { title: text ? `Set split ${text}` : "Take out of the splits", of: (sample) => ({ do: "set-split", sample, split: text }) };
  if (!text) return null;
  if (name === "add") return { title: `Add tag ${text}`, of: (sample) => ({ do: "add-tags", sample, tags: [text] }) };
  if (name === "remove") return { title: `Remove tag ${text}`, of: (sample) => ({ do: "remove-tags", sample, tags: [text] }) };
  const plain = valueOf(value, fields.find((field) => field.name === text)?.type);
  return { title: plain === null ? `Remove ${text}` : `Set ${text} to ${String(plain)}`, of: (sample) => ({ do: "set-metadata", sample, metadata: { [text]: plain } }) };
}

/** One line to fill in, with what the dataset has already. */
export function BulkForm({ name, data, onEdit, onDone }: { name: FormName; data: Overview | undefined; onEdit: (edit: BulkEdit) => void; onDone: () => void }) {
  const [typed, setTyped] = useState("");
  const [value, setValue] = useState("");
  const id = useId();
  const fields = data?.fields ?? [];
  const edit = editOf(name, typed, value, fields);
  const known =
    name === "split" ? [...new Set([...SPLITS, ...(data?.splits ?? []).map((one) => one.name).filter(Boolean)])]
    : name === "field" ? fields.map((field) => field.name)
    : (data?.tags ?? []).map((one) => String(one.value));
  const values = name === "field" ? (fields.find((field) => field.name === typed.trim())?.top ?? []) : [];
  const leave = keysOf({ Escape: onDone });
  return (
    <form
      className="selection-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (edit) onEdit(edit);
      }}
    >
      <label htmlFor={`${id}-field`}>{LABELS[name]}</label>
      <input
        id={`${id}-field`} className="field" autoFocus list={`${id}-known`} maxLength={200} value={typed} autoComplete="off" spellCheck={false}
        placeholder={name === "split" ? "empty takes them out" : ""} onChange={(event) => setTyped(event.target.value)} {...leave}
      />
      <datalist id={`${id}-known`}>{known.map((word) => <option key={word} value={word} />)}</datalist>
      {name === "field" ? (
        <>
          <input
            className="field" list={`${id}-values`} aria-label="Value" placeholder="Value; empty removes it" value={value} autoComplete="off" spellCheck={false}
            onChange={(event) => setValue(event.target.value)} {...leave}
          />
          <datalist id={`${id}-values`}>{values.map((one) => <option key={String(one.value)} value={String(one.value ?? "")} />)}</datalist>
        </>
      ) : null}
      <Button look="first" className="small" type="submit" disabled={!edit}>{edit && name === "split" && !typed.trim() ? "Take out" : "Apply"}</Button>
      <Button look="quiet" className="small" onClick={onDone}>Cancel</Button>
    </form>
  );
}
