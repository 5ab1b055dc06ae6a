import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import { size, type Selection } from "@/grid/selection";
import { branchOf, MAIN } from "@/kit/branch";
import { count, plural } from "@/kit/format";
import { say } from "@/kit/said";
import { Turns } from "@/kit/turns";
import * as annotate from "@/rooms/annotate/api";
import * as api from "../api";

/** A change of all chosen samples, or objects. */
export type BulkEdit = { title: string; of: (id: string) => annotate.Edit };

/** What was done, as the edits to undo. */
type Done = { title: string; edits: readonly string[] };
export type BulkState = { running: { title: string; done: number; total: number } | null; problem: Problem | null };

/** Ids that one answer lists, and edits that one request takes. */
const PART = 10_000;

const moved = () => new Problem(409, "list-changed", "the list has changed since the samples were selected", "", "select them again");

/** The ids of the chosen places, as the server lists them now. Rejects where the list is another one by now. */
export async function idsOf(
  dataset: string, ref: string, view: api.View, selection: Selection, total: number,
  { signal, onListed }: { signal?: AbortSignal; onListed?: (n: number) => void } = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (const [from, to] of selection.ranges) {
    for (let offset = from; offset < to; offset += PART) {
      const limit = Math.min(PART, to - offset);
      const part = await api.idsAt(dataset, ref, view, offset, limit, signal);
      const isOther = [...selection.seen].some(([at, id]) => at >= offset && at < offset + limit && part.ids[at - offset] !== id);
      if (part.total !== total || isOther || part.ids.length !== limit) throw moved();
      for (const id of part.ids) ids.push(id);
      onListed?.(ids.length);
    }
  }
  return ids;
}

const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem(0, "page-failed", String(error), "", "reload the page"));

/** What was done and undone on a branch, newest last: each branch has its own. */
function useSteps(branch: string) {
  const all = useRef(new Map<string, { stack: { current: Done[] }; undone: { current: Done[] } }>());
  const own = all.current.get(branch) ?? { stack: { current: [] }, undone: { current: [] } };
  all.current.set(branch, own);
  return own;
}

/** Edits of many samples at once: in parts where they are more than a request takes, and undone as one. */
export function useBulk(dataset: string, ref: string, view: api.View) {
  const client = useQueryClient();
  const [state, setState] = useState<BulkState>({ running: null, problem: null });
  const branch = branchOf(ref) ?? MAIN;
  const { stack, undone } = useSteps(branch);
  const stop = useRef<AbortController | null>(null);
  const [turns] = useState(() => new Turns());
  useEffect(() => () => stop.current?.abort(), []);

  const work = useCallback((title: string, total: number, task: (signal: AbortSignal, onDone: (n: number) => void) => Promise<string>) => turns.take(async () => {
    const own = new AbortController();
    stop.current = own;
    setState({ running: { title, done: 0, total }, problem: null });
    let problem: Problem | null = null;
    try {
      say(await task(own.signal, (done) => setState({ running: { title, done, total }, problem: null })));
    } catch (error) {
      problem = own.signal.aborted ? null : asProblem(error);
      if (own.signal.aborted) say("Stopped. What was changed before can be undone");
    }
    stop.current = null;
    await datasetChanged(client, dataset);
    setState({ running: null, problem });
  }), [client, dataset, turns]);

  const apply = ({ title, of }: BulkEdit, selection: Selection, total: number) => work(title, size(selection), async (signal, onDone) => {
    const ids = await idsOf(dataset, ref, view, selection, total, { signal });
    const done: { title: string; edits: string[] } = { title, edits: [] };
    let changed = 0;
    for (let at = 0; at < ids.length; at += PART) {
      signal.throwIfAborted();
      const part = ids.slice(at, at + PART);
      const edited = await annotate.edit(dataset, { id: crypto.randomUUID(), edits: part.map(of), label_set: view.labels ?? "ground_truth", carry_over: false }, branch);
      if (edited.edit) done.edits.push(edited.edit);
      // Each part counts as soon as it is done: what follows may fail, and it can be undone alone.
      if (done.edits.length === 1 && edited.edit) stack.current.push(done);
      undone.current = [];
      changed += view.show === "objects" ? edited.changed + edited.deleted : edited.samples;
      onDone(at + part.length);
    }
    return changed ? `${title}: ${plural(changed, view.show === "objects" ? "object" : "sample")} changed` : `${title}: nothing to change`;
  });

  /** Undo the last of these changes as a whole, or the last staged edit where there is none. */
  const undo = () => work("Undo", 1, async () => {
    const last = stack.current.pop();
    if (!last) return `Undone: ${(await annotate.undo(dataset, "", branch)).edit.what}`;
    const left = [...last.edits];
    try {
      for (let edit = left.at(-1); edit; edit = left.at(-1)) {
        await annotate.undo(dataset, edit, branch);
        left.pop();
      }
    } catch (error) {
      // Somebody edited or committed since: these can be undone no more, others may be.
      if (!(error instanceof Problem && error.status === 409)) stack.current.push({ ...last, edits: left });
      throw error;
    }
    undone.current.push(last);
    return `Undone: ${last.title}`;
  });

  const redo = () => work("Redo", 1, async () => {
    const last = undone.current.pop();
    if (!last) return `Redone: ${(await annotate.redo(dataset, branch)).edit.what}`;
    for (const _ of last.edits) await annotate.redo(dataset, branch);
    stack.current.push(last);
    return `Redone: ${last.title}`;
  });

  const copyIds = (selection: Selection, total: number) => work("Copy the ids", size(selection), async (signal, onListed) => {
    const ids = await idsOf(dataset, ref, view, selection, total, { signal, onListed });
    await navigator.clipboard.writeText(ids.join("\n"));
    return `${count(ids.length)} ids copied`;
  });

  return {
    state, undo: () => void undo(), redo: () => void redo(),
    // One change of many at a time; steps back and forth wait for it.
    apply: (edit: BulkEdit, selection: Selection, total: number) => (stop.current ? Promise.resolve() : apply(edit, selection, total)),
    copyIds, stop: () => stop.current?.abort(), dismiss: () => setState({ ...state, problem: null }),
  };
}

export type Bulk = ReturnType<typeof useBulk>;
