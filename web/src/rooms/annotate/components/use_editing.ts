import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import type { FullAnnotation } from "@/api/schema.gen";
import { MAIN } from "@/kit/branch";
import { say } from "@/kit/said";
import { Turns } from "@/kit/turns";
import * as api from "../api";
import { isOfAnnotation, type Change } from "./changes";
import { EditQueue, type Offer, type Place, type State } from "./queue";

export type Editing = {
  /** The branch that is edited. */
  branch: string;
  /** The annotations with the edits on their way. */
  list: readonly FullAnnotation[];
  state: State;
  stage: (change: Change, options?: { later?: boolean; after?: () => Promise<unknown> }) => void;
  settled: () => Promise<void>;
  undo: () => void;
  redo: () => void;
  retry: () => void;
  dismiss: () => void;
  /** Make the copies of the sample follow an edit. */
  carryOver: (offer: Offer) => void;
};

/** Edits of the annotations of one sample after another: shown at once, sent in order, undone one by one. */
export function useEditing(dataset: string, { sample, labelSet }: Place, list: readonly FullAnnotation[], branch = MAIN): Editing {
  const client = useQueryClient();
  const queue = useMemo(() => new EditQueue({
    send: ({ id, change, place }, seen) => {
      const edit = seen !== undefined && isOfAnnotation(change.edit) ? { ...change.edit, seen } : change.edit;
      return api.edit(dataset, { id, edits: [edit], label_set: place.labelSet }, branch);
    },
    reread: () => datasetChanged(client, dataset),
  }), [client, dataset, branch]);
  const state = useSyncExternalStore(queue.subscribe, queue.get);
  const [turns] = useState(() => new Turns());
  const edited = useMemo(
    () => state.entries.filter(({ place }) => place.sample === sample && place.labelSet === labelSet).reduce((now, { change }) => change.apply(now), list),
    [state.entries, sample, labelSet, list],
  );

  const alone = useCallback((work: () => Promise<string>) => void turns.take(async () => {
    try {
      await queue.settled();
      say(await work());
    } catch (error) {
      if (error instanceof Problem && error.code.startsWith("no-edit-to")) say(error.detail);
      else queue.fail(error instanceof Problem ? error : new Problem(0, "page-failed", String(error), "", "reload the page"));
    }
    if (!turns.areMoreWaiting) await datasetChanged(client, dataset);
  }), [client, dataset, queue, turns]);
  const stage: Editing["stage"] = useCallback((change, options) => queue.stage(change, { sample, labelSet }, options), [queue, sample, labelSet]);
  return {
    branch, list: edited, state, stage,
    settled: () => queue.settled(), retry: () => queue.retry(), dismiss: () => queue.dismiss(),
    undo: () => alone(async () => `Undone: ${(await api.undo(dataset, "", branch)).edit.what}`),
    redo: () => alone(async () => `Redone: ${(await api.redo(dataset, branch)).edit.what}`),
    carryOver: ({ entry, edit }) => {
      queue.dismiss();
      alone(async () => {
        // A deleted annotation cannot be deleted again: the edit is undone and repeated with its copies.
        if (entry.change.edit.do === "delete") await api.undo(dataset, edit, branch);
        const { seen: _seen, ...again } = entry.change.edit;
        const answer = await api.edit(dataset, { id: crypto.randomUUID(), edits: [again], label_set: entry.place.labelSet, carry_over: true }, branch);
        const left = Object.keys(answer.not_carried)[0];
        return left ? `${answer.carried} copies changed; others were not: ${left}` : `${answer.carried} copies changed too`;
      });
    },
  };
}
