import type { ValueCount } from "@/api/schema.gen";

type Scalar = NonNullable<ValueCount["value"]>;

/** Query texts of the grammar in `datasets/query`: built for links, added to what is there. */
export const quoted = (value: string): string => `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;

const literal = (value: Scalar): string => (typeof value === "string" ? quoted(value) : String(value));

/** Names that the grammar can read without help. */
export const nameable = (field: string): boolean =>
  /^[^\W\d][\w.\-:/]*$/u.test(field) && !RESERVED.has(field.toLowerCase());

const RESERVED = new Set(["and", "or", "not", "has", "in", "is", "missing", "contains", "true", "false", "any", "count", "where"]);

export const equals = (field: string, value: Scalar | null): string =>
  value === null || value === "" ? `${field} is missing` : `${field} = ${literal(value)}`;

export const ofClass = (name: string): string => `class = ${quoted(name)}`;
export const atLeast = (name: string, n: number): string => `count(${quoted(name)}) >= ${n}`;
export const tagged = (tag: string): string => `tags has ${quoted(tag)}`;
export const oneOfIds = (ids: readonly string[]): string => (ids.length === 1 ? `id = ${quoted(ids[0] ?? "")}` : `id in (${ids.map(quoted).join(", ")})`);
export const withFinding = (check: string): string => `finding = ${quoted(check)}`;
export const UNLABELLED = "count(*) = 0";
export const DERIVED = "parent is not missing";

/** A number within [low, high), the last range with its end. */
export const between = (field: string, low: number, high: number, isLast: boolean): string =>
  `${field} >= ${low} and ${field} ${isLast ? "<=" : "<"} ${high}`;

/** Both hold; an `or` outside parentheses is put into some. */
export function both(before: string | undefined, more: string): string {
  const kept = before?.trim();
  if (!kept) return more;
  if (clauses(kept).includes(more)) return kept;
  return `${hasOr(kept) ? `(${kept})` : kept} and ${hasOr(more) ? `(${more})` : more}`;
}

/** The parts that `and` joins at the top level, or the whole text where `or` does. */
export function clauses(where: string): string[] {
  return hasOr(where) ? [where.trim()] : split(where, "and");
}

/** The query without one of its parts. */
export const without = (where: string, clause: string): string =>
  clauses(where).filter((one) => one !== clause).join(" and ");

const hasOr = (where: string): boolean => split(where, "or").length > 1;

/** Cuts at a word outside of quotation marks and parentheses. */
function split(where: string, word: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = "";
  let start = 0;
  for (let at = 0; at < where.length; at += 1) {
    const letter = where[at] ?? "";
    if (quote) {
      if (letter === "\\") at += 1;
      else if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "(") depth += 1;
    else if (letter === ")") depth -= 1;
    else if (depth === 0 && isWord(where, at, word)) {
      parts.push(where.slice(start, at));
      start = at + word.length;
      at = start - 1;
    }
  }
  parts.push(where.slice(start));
  return parts.map((one) => one.trim()).filter(Boolean);
}

function isWord(text: string, at: number, word: string): boolean {
  const edge = (letter: string | undefined) => letter === undefined || /[\s()]/.test(letter);
  return (
    text.slice(at, at + word.length).toLowerCase() === word && edge(text[at - 1]) && edge(text[at + word.length])
  );
}
