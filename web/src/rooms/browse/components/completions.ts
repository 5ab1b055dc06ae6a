import type { Overview } from "@/api/schema.gen";
import { nameable, quoted } from "@/api/where";

/** A completion of the query: the text to insert, what follows it, and a note on it. */
export type Word = { insert: string; note: string; tail?: string };

/** What is known beyond the overview: values of the field that is compared, and names of checks. */
export type More = { values?: readonly Word[] | undefined; checks?: readonly Word[] | undefined };

type Type = "text" | "number" | "list" | "class" | "flag" | "finding";

const SAMPLE_FIELDS: readonly [string, Type, string][] = [
  ["name", "text", "text"], ["split", "text", "text"], ["licence", "text", "text"], ["source", "text", "text"], ["group", "text", "text"], ["width", "number", "px"],
  ["height", "number", "px"], ["bytes", "number", "size of the file"], ["parent", "text", "original of a derived sample"], ["tags", "list", "list"],
  ["finding", "finding", "check that found something"], ["finding.severity", "finding", "error, warning or info"],
];
const ANNOTATION_FIELDS: readonly [string, Type, string][] = [
  ["class", "class", "class of an annotation"], ["kind", "text", "kind of an annotation"], ["score", "number", "confidence from 0 to 1"], ["area", "number", "square px"],
  ["w", "number", "width in px"], ["h", "number", "height in px"], ["x", "number", "left in px"], ["y", "number", "top in px"], ["iscrowd", "flag", "true or false"],
  ["author", "text", "who made the annotation"], ["supercategory", "class", "group of classes"],
];
const CALLS: readonly Word[] = [
  { insert: "count(", note: "number of annotations" }, { insert: "any(", note: "at least one annotation" }, { insert: "not ", note: "negation" },
];
const OPERATORS: Record<Type, readonly (readonly [string, string])[]> = {
  text: [["=", "is"], ["!=", "is not"], ["contains", "has this piece"], ["in (", "one of"], ["is missing", "no value"], ["is not missing", "any value"]],
  number: [["=", "is"], ["!=", "is not"], ["<", "less"], ["<=", "at most"], [">", "more"], [">=", "at least"], ["is missing", "no value"]],
  list: [["has", "contains"]],
  class: [["=", "is"], ["!=", "is not"], ["contains", "has this piece"]],
  flag: [["=", "is"], ["!=", "is not"], ["is missing", "no value"]],
  finding: [["=", "is"], ["!=", "is not"], ["contains", "has this piece"], ["is missing", "none"]],
};
const SEVERITIES: readonly Word[] = ["error", "warning", "info"].map((insert) => ({ insert: quoted(insert), note: "severity" }));
const MOST = 8;
const NAME = "[\\p{L}_][\\p{L}\\p{N}_.\\-:/]*";
const COMPARED = new RegExp(`(${NAME})\\s*(?:=|!=|<>|contains|has|(?:not\\s+)?in\\s*\\((?:[^()]*,)?)$`, "iu");
const BEGINS = /(?:^|\band|\bor|\bnot|\(|\bwhere)$/i;

type Spot = { start: number; typed: string; before: string };

/** The word under the caret and what stands before it. */
export function spot(text: string, caret: number): Spot {
  const head = text.slice(0, caret);
  const isInText = head.split('"').length % 2 === 0;
  const typed = isInText ? head.slice(head.lastIndexOf('"')) : (/[\p{L}\p{N}_.\-:/]*$/u.exec(head)?.[0] ?? "");
  return { start: caret - typed.length, typed, before: head.slice(0, head.length - typed.length).trimEnd() };
}

/** The field whose value is typed at the caret, and what is typed of it. */
export function asked(text: string, caret: number): { field: string; typed: string } | null {
  const { typed, before } = spot(text, caret);
  const field = COMPARED.exec(before)?.[1];
  return field && !/^(?:not|and|or)$/i.test(field) ? { field, typed: typed.replace(/^"/, "") } : null;
}

/** Completions: values after a comparison, classes inside a count, operators after a field, fields elsewhere. */
export function completions(text: string, caret: number, data: Overview | undefined, more: More = {}): Word[] {
  if (!data) return [];
  const { typed, before } = spot(text, caret);
  const bare = typed.replace(/^"/, "").toLowerCase();
  const bareOf = (word: Word) => word.insert.replace(/^"/, "").toLowerCase();
  const fits = (words: readonly Word[]) => words.filter((word) => bareOf(word).startsWith(bare) && word.insert !== typed).slice(0, MOST);
  const inside = isInside(before);
  const value = asked(text, caret);
  if (value) {
    const known = values(value.field, data, more);
    const begins = fits(known);
    return bare ? [...begins, ...known.filter((word) => bareOf(word).includes(bare) && !bareOf(word).startsWith(bare))].slice(0, MOST) : begins;
  }
  if (BEGINS.test(before)) {
    const counted = /(?:count|any)\s*\($/i.test(before) ? classes(data) : [];
    const fields = (inside ? annotationFields() : sampleFields(data)).map(([insert, , note]) => ({ insert, note, tail: insert.endsWith(".") ? "" : " " }));
    return fits([...counted, ...fields, ...(inside ? [{ insert: "not ", note: "negation" }] : CALLS)]);
  }
  if (typed.startsWith('"')) return [];
  const type = typeBefore(before, data);
  if (type) return fits(OPERATORS[type].map(([insert, note]) => ({ insert, note, tail: insert.endsWith("(") || insert.includes("missing") ? "" : " " })));
  if (/\bcount\s*\([^()]*\)$/i.test(before)) return fits([">=", "=", "<="].map((insert) => ({ insert, note: "number of annotations", tail: " " })));
  const isComplete = /(?:\)|"|\d|\btrue|\bfalse|\bmissing|(?:=|\bhas|\bcontains)\s*[\p{L}][\p{L}\p{N}_.\-:/]*)$/iu.test(before);
  return isComplete ? fits([{ insert: "and ", note: "both" }, { insert: "or ", note: "either" }]) : [];
}

const sampleFields = (data: Overview): [string, Type, string][] => [
  ...data.fields.filter((field) => nameable(field.name)).map((field): [string, Type, string] => [
    field.name, field.type === "str" ? "text" : field.type === "bool" ? "flag" : "number", field.type,
  ]),
  ...SAMPLE_FIELDS, ...annotationFields(),
];
const annotationFields = (): [string, Type, string][] => [...ANNOTATION_FIELDS, ["attributes.", "text", "attribute of an annotation"]];

/** Whether `any(` or `count(` is open. */
function isInside(before: string): boolean {
  const opened: boolean[] = [];
  for (const [piece] of before.matchAll(/"[^"]*"?|(?:any|count)\s*\(|\(|\)/gi)) {
    if (piece === ")") opened.pop();
    else if (piece.endsWith("(") && !piece.startsWith('"')) opened.push(piece.length > 1);
  }
  return opened.includes(true);
}

/** The type of the field that stands before the caret, if one does. */
function typeBefore(before: string, data: Overview): Type | undefined {
  const [, head = "", name = ""] = new RegExp(`^(.*?)(${NAME})$`, "isu").exec(before) ?? [];
  if (!name || !BEGINS.test(head.trimEnd())) return undefined;
  if (/^attributes?\../.test(name)) return "text";
  return (isInside(before) ? annotationFields() : sampleFields(data)).find(([field]) => field === name.replace(/^metadata\./, ""))?.[1];
}

function classes(data: Overview): Word[] {
  return data.classes.map((one) => ({ insert: quoted(one.name), note: `${one.annotations} annotations` }));
}

function kinds(data: Overview): Word[] {
  const counts = new Map<string, number>();
  for (const set of data.label_sets) for (const [kind, n] of Object.entries(set.kinds)) counts.set(kind, (counts.get(kind) ?? 0) + n);
  return [...counts].map(([kind, n]) => ({ insert: kind, note: `${n} annotations` }));
}

function values(field: string, data: Overview, more: More): readonly Word[] {
  if (field === "class" || field === "classes") return classes(data);
  if (field === "supercategory") return [...new Set(data.classes.map((one) => one.supercategory))].filter(Boolean).map((name) => ({ insert: quoted(name), note: "group of classes" }));
  if (field === "kind") return kinds(data);
  if (field === "finding") return more.checks ?? [];
  if (field === "finding.severity") return SEVERITIES;
  if (field === "iscrowd" || data.fields.some((one) => one.name === field && one.type === "bool")) return ["true", "false"].map((insert) => ({ insert, note: "" }));
  const listed =
    field === "split" ? data.splits.map((one) => ({ value: one.name, count: one.samples }))
    : field === "licence" ? data.licences
    : field === "source" ? data.sources
    : field === "tags" ? data.tags
    : (data.fields.find((one) => one.name === field.replace(/^metadata\./, ""))?.top ?? []);
  const known = listed.filter((one) => one.value !== null && one.value !== "").map(({ value, count }) => valueWord(value ?? "", count));
  return [...known, ...(more.values ?? []).filter((word) => !known.some((one) => one.insert === word.insert))];
}

/** A value as a query writes it. */
export const valueWord = (value: string | number | boolean, count: number): Word => ({
  insert: typeof value === "string" ? quoted(value) : String(value), note: `${count} samples`,
});

/** Fields whose values the server lists. */
export const hasListedValues = (field: string, data: Overview): boolean =>
  ["split", "source", "licence", "group", "tags"].includes(field) || data.fields.some((one) => one.name === field.replace(/^metadata\./, ""));

/** The text with the word under the caret replaced. */
export function complete(text: string, caret: number, { insert, tail = "" }: Pick<Word, "insert" | "tail">): { text: string; caret: number } {
  const { start } = spot(text, caret);
  const rest = text.slice(caret).replace(/^"/, "");
  const head = text.slice(0, start) + insert + (rest.startsWith(" ") ? "" : tail);
  return { text: head + rest, caret: head.length };
}
