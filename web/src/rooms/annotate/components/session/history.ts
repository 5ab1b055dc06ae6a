import { boxOf } from "@/canvas/geometry";
import { extentOf, pixelsOf } from "@/canvas/rle";
import type { Operation, Row, ShapeFields, WorkClass } from "./types";

/** What one operation did to one annotation; null where it was not there. */
type Step = { operation: string; annotation: string; before: Row | null; after: Row | null };

/** The annotations of an assignment and the steps that can be taken back. Values are never changed in place. */
export type History = { rows: ReadonlyMap<string, Row>; done: readonly Step[]; undone: readonly Step[] };

export const historyOf = (rows: readonly Row[]): History => ({ rows: new Map(rows.map((row) => [row.id, row])), done: [], undone: [] });

/**
 * The state after an operation, as the server will have it. What cannot be known here stays as it is: an undo of an operation
 * from before this page was opened shows once the server has answered.
 */
export function applied(history: History, operation: Operation, classes: readonly WorkClass[]): History {
  if (operation.do === "undo") return takenBack(history, operation.operation);
  if (operation.do === "redo") return broughtBack(history);
  if (operation.do === "restore") return history;
  const before = history.rows.get(operation.annotation) ?? null;
  const after = changed(before, operation, classes);
  if (after === before) return history;
  const step = { operation: operation.id, annotation: operation.annotation, before, after };
  return { rows: withRow(history.rows, step.annotation, after), done: [...history.done, step], undone: [] };
}

function takenBack(history: History, id: string | undefined): History {
  const step = id ? history.done.find((one) => one.operation === id) : history.done.at(-1);
  if (!step) return history;
  return { rows: withRow(history.rows, step.annotation, step.before), done: history.done.filter((one) => one !== step), undone: [...history.undone, step] };
}

function broughtBack(history: History): History {
  const step = history.undone.at(-1);
  if (!step) return history;
  return { rows: withRow(history.rows, step.annotation, step.after), done: [...history.done, step], undone: history.undone.slice(0, -1) };
}

/** Rows as the server has them now. The steps stay: what they were before the last operations is still right. */
export function corrected(history: History, rows: readonly { id: string; row: Row | null }[]): History {
  let now = history.rows;
  for (const { id, row } of rows) now = withRow(now, id, row);
  return now === history.rows ? history : { ...history, rows: now };
}

function withRow(rows: ReadonlyMap<string, Row>, id: string, row: Row | null): ReadonlyMap<string, Row> {
  const before = rows.get(id) ?? null;
  if (before === row || (before && row && same(before, row))) return rows;
  const next = new Map(rows);
  if (row) next.set(id, row);
  else next.delete(id);
  return next;
}

/** Rows that are drawn alike are kept, so that nothing is drawn again for an answer of the server. */
const same = (a: Row, b: Row): boolean => a === b || JSON.stringify(a, Object.keys(b).sort()) === JSON.stringify(b, Object.keys(b).sort());

/** The row that an operation leaves, the same one where it changes nothing. Kept, because an operation is applied again and again. */
const results = new WeakMap<Operation, { before: Row | null; after: Row | null }>();

function changed(before: Row | null, operation: Exclude<Operation, { do: "undo" | "redo" | "restore" }>, classes: readonly WorkClass[]): Row | null {
  const known = results.get(operation);
  if (known && known.before === before) return known.after;
  const after = computed(before, operation, classes);
  results.set(operation, { before, after });
  return after;
}

function computed(before: Row | null, operation: Exclude<Operation, { do: "undo" | "redo" | "restore" }>, classes: readonly WorkClass[]): Row | null {
  const idOf = (name: string) => classes.find((one) => one.name === name)?.id ?? before?.class_id ?? 0;
  if (operation.do === "delete") return null;
  if (operation.do === "add") {
    const bare: Row = {
      id: operation.annotation, kind: operation.kind, class: operation.class, class_id: idOf(operation.class), bbox: null, rings: [], keypoints: [], mask: null,
      score: null, iscrowd: operation.iscrowd ?? false, author: "", text: null, attributes: operation.attributes ?? {}, area: null, source_id: "",
      origin: "drawn",
    };
    return shaped(bare, operation);
  }
  if (!before) return null;
  const touched: Row = { ...before, score: null, origin: before.origin === "drawn" ? "drawn" : "adjusted" };
  if (operation.do === "set-class") return { ...touched, class: operation.class, class_id: idOf(operation.class) };
  if (operation.do === "set-shape") return shaped({ ...touched, kind: operation.kind ?? before.kind }, operation);
  const attributes = Object.fromEntries(Object.entries({ ...before.attributes, ...operation.attributes }).filter(([, value]) => value !== null));
  return { ...touched, attributes, text: typeof attributes["text"] === "string" ? attributes["text"] : null };
}

/** A row with a shape instead of the one it had. */
function shaped(row: Row, { bbox, rings, keypoints, mask }: ShapeFields): Row {
  const next: Row = {
    ...row, bbox: bbox ? [...bbox] : null, rings: rings?.map((ring) => [...ring]) ?? [], keypoints: keypoints ? [...keypoints] : [],
    mask: mask ? { size: [mask.size[0], mask.size[1]], counts: mask.counts } : null,
  };
  const covered = next.mask ? extentOf(next.mask) : null;
  const box = covered ? { x: covered.x, y: covered.y, w: covered.width, h: covered.height } : boxOf(next);
  const isWhole = row.kind === "classification" || row.kind === "caption";
  return { ...next, bbox: box && !isWhole ? [box.x, box.y, box.w, box.h] : null, area: next.mask ? pixelsOf(next.mask) : box ? box.w * box.h : null };
}
