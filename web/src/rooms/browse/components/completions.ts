import type { Overview } from "@/api/schema.gen";
import { nameable, quoted } from "@/api/where";

/** A completion of the query: the text to insert and a note on it. */
export type Word = { insert: string; note: string };

const FIELDS: [string, string][] = [
  ["name", "text"], ["split", "text"], ["licence", "text"], ["source", "text"], ["group", "text"], ["width", "px"], ["height", "px"],
  ["parent", "original of a derived sample"], ["tags", "list: tags has \"x\""], ["kind", "kind of an annotation"],
  ["attributes.", "attribute of an annotation"],
];
const CALLS: [string, string][] = [["class = ", "has an annotation of this class"], ["count(", "number of annotations"], ["any(", "at least one annotation"], ["not ", "negation"]];
const MOST = 8;

type Spot = { start: number; typed: string; before: string };

/** The word under the caret and what stands before it. */
export function spot(text: string, caret: number): Spot {
  const head = text.slice(0, caret);
  const isInText = head.split('"').length % 2 === 0;
  const typed = isInText ? head.slice(head.lastIndexOf('"')) : (/[\p{L}\p{N}_.\-:/]*$/u.exec(head)?.[0] ?? "");
  return { start: caret - typed.length, typed, before: head.slice(0, head.length - typed.length).trimEnd() };
}

/** Completions: values after a comparison, classes inside a count, fields elsewhere. */
export function completions(text: string, caret: number, data: Overview | undefined): Word[] {
  if (!data) return [];
  const { typed, before } = spot(text, caret);
  const bare = typed.replace(/^"/, "").toLowerCase();
  const fits = (words: Word[]) =>
    words.filter((w) => w.insert.replace(/^"/, "").toLowerCase().startsWith(bare) && w.insert !== typed).slice(0, MOST);
  const compared = /([\p{L}_][\p{L}\p{N}_.\-:/]*)\s*(?:=|!=|contains|has)$/u.exec(before)?.[1];
  if (compared) return fits(values(compared, data));
  if (/(count|any)\s*\($/i.test(before)) return fits(classes(data));
  if (/[<>]=?$|\bcount\s*\([^)]*\)\s*$|\d$/i.test(before)) return [];
  const expects = before === "" || /(\band|\bor|\bnot|\(|\bwhere)$/i.test(before);
  if (!expects) {
    const tail = /(\)|"|\d|\btrue|\bfalse|\bmissing)$/i.test(before);
    return tail ? fits([{ insert: "and ", note: "both" }, { insert: "or ", note: "either" }]) : [];
  }
  if (!typed) return [];
  return fits([
    ...data.fields.filter((field) => nameable(field.name)).map((field) => ({ insert: field.name, note: field.type })),
    ...FIELDS.map(([insert, note]) => ({ insert, note })),
    ...CALLS.map(([insert, note]) => ({ insert, note })),
  ]);
}

function classes(data: Overview): Word[] {
  return data.classes.map((one) => ({ insert: quoted(one.name), note: `${one.annotations} annotations` }));
}

function kinds(data: Overview): Word[] {
  const counts = new Map<string, number>();
  for (const set of data.label_sets) for (const [kind, n] of Object.entries(set.kinds)) counts.set(kind, (counts.get(kind) ?? 0) + n);
  return [...counts].map(([kind, n]) => ({ insert: kind, note: `${n} annotations` }));
}

function values(field: string, data: Overview): Word[] {
  if (field === "class" || field === "classes") return classes(data);
  if (field === "kind") return kinds(data);
  const listed =
    field === "split" ? data.splits.map((one) => ({ value: one.name, count: one.samples }))
    : field === "licence" ? data.licences
    : field === "source" ? data.sources
    : field === "tags" ? data.tags
    : (data.fields.find((one) => one.name === field.replace(/^metadata\./, ""))?.top ?? []);
  return listed
    .filter((one) => one.value !== null && one.value !== "")
    .map((one) => ({ insert: typeof one.value === "string" ? quoted(one.value) : String(one.value), note: `${one.count} samples` }));
}

/** The text with the word under the caret replaced. */
export function complete(text: string, caret: number, word: string): { text: string; caret: number } {
  const { start } = spot(text, caret);
  const rest = text.slice(caret).replace(/^"/, "");
  const head = text.slice(0, start) + word;
  return { text: head + rest, caret: head.length };
}
