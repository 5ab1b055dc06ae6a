import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { datasetKey } from "@/api/cache";
import { Problem } from "@/api/client";
import type { ListedFinding } from "@/api/schema.gen";
import { count, plural } from "@/kit/format";
import { say } from "@/kit/said";
import type { FindingState } from "../api";
import * as api from "../api";

/** What can be done with findings. */
export type Act = { do: "fix"; set_class?: string } | { do: "decide"; decision: api.Decision };
/** What came of an action on several findings, or of one that failed; it stays on the page until dismissed. */
export type Outcome = { text: string; details: string[]; bad?: boolean };

type Done = { action: string; before: ListedFinding[]; n?: number };

const stateAfter = (act: Act): FindingState => (act.do === "fix" ? "fixed" : act.decision.state);
const note = (act: Act) => (act.do === "fix" ? null : (act.decision.note ?? "") || null);

/**
 * Actions on findings: shown at once, sent in order, undone in the reverse order. A refused action restores what it
 * changed on the page, and says why.
 */
export function useActions(dataset: string, refName: string) {
  const client = useQueryClient();
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const done = useRef<Done[]>([]);
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [busy, setBusy] = useState(0);

  /** Counts are read again when the hands rest, not after each key. */
  const settle = () => {
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => {
      void client.invalidateQueries({ queryKey: api.groupsKey(dataset) });
      void client.invalidateQueries({ queryKey: datasetKey(dataset, "checks") });
      void client.invalidateQueries({ queryKey: datasetKey(dataset, "finding-life") });
      void client.invalidateQueries({ queryKey: datasetKey(dataset, "sample") });
      void client.invalidateQueries({ queryKey: ["datasets"] });
    }, 600);
  };
  const restore = (before: readonly ListedFinding[]) => {
    const former = new Map(before.map((item) => [item.key, item]));
    api.patchList(client, dataset, (item) => former.get(item.key) ?? item);
  };
  const send = (work: () => Promise<void>) => {
    setBusy((n) => n + 1);
    queue.current = queue.current.then(work).catch((error: unknown) => {
      const problem = error instanceof Problem ? error : null;
      setOutcome({ text: problem?.detail ?? String(error), details: problem?.fix ? [problem.fix] : [], bad: true });
    }).finally(() => {
      setBusy((n) => n - 1);
      settle();
    });
  };

  const run = (act: Act, chosen: api.Chosen) => {
    const keys = new Set("keys" in chosen ? chosen.keys : []);
    const one = keys.size === 1;
    const state = stateAfter(act);
    const assignee = act.do === "decide" ? act.decision.assignee : "";
    const before = api.patchList(client, dataset, (item) =>
      keys.has(item.key) && item.state !== "closed" ? { ...item, state, note: note(act), assignee: assignee || item.assignee } : item);
    setOutcome(null);
    send(async () => {
      const record: Done = { action: "", before };
      try {
        const skipped = act.do === "fix" ? await stage(act, chosen, record) : await decide(act, chosen, record);
        done.current.push(record);
        const left = new Set(Object.keys(skipped));
        if (left.size) restore(before.filter((item) => left.has(item.key)));
        if ("match" in chosen) await client.invalidateQueries({ queryKey: api.listKey(dataset) });
        if (!one || left.size) setOutcome(report(act, record.n ?? 0, skipped));
      } catch (error) {
        restore(before);
        throw error;
      }
    });
  };
  const stage = async (act: Extract<Act, { do: "fix" }>, chosen: api.Chosen, record: Done) => {
    const staged = await api.fix(dataset, refName, chosen, act.set_class);
    Object.assign(record, { action: staged.fix, n: staged.findings.length });
    return staged.left_out;
  };
  const decide = async (act: Extract<Act, { do: "decide" }>, chosen: api.Chosen, record: Done) => {
    const decided = await api.decide(dataset, chosen, act.decision);
    Object.assign(record, { action: decided.decision, n: decided.decided });
    return decided.skipped;
  };

  const undo = () => {
    setOutcome(null);
    send(async () => {
      const last = done.current.pop();
      const undone = await api.undo(dataset, last?.action).catch((error: unknown) => {
        if (last && error instanceof Problem && error.status === 0) done.current.push(last); // not reached: try again later
        throw error;
      });
      if (last) restore(last.before);
      if (!last || last.before.length < undone.findings.length) await client.invalidateQueries({ queryKey: api.listKey(dataset) });
      const skipped = Object.keys(undone.skipped).length;
      const what = `Undone: ${plural(undone.findings.length, "finding")} ${undone.findings.length === 1 ? "has its" : "have their"} former state again`;
      if (undone.committed) setOutcome({ text: `${what}. The fix was committed already: commit again to record its reversal.`, details: [] });
      else if (skipped) setOutcome({ text: `${what}, ${plural(skipped, "finding")} changed since and kept`, details: [] });
      else say(what);
    });
  };
  return { run, undo, outcome, setOutcome, busy: busy > 0 };
}

const VERBS: Record<FindingState, string> = {
  open: "reopened", assigned: "assigned", fixed: "fixed", rejected: "rejected", accepted: "accepted as a risk", closed: "closed",
};

/** How many findings an action changed, and how many it skipped for which reason. */
function report(act: Act, n: number, skipped: Record<string, string>): Outcome {
  const reasons = new Map<string, number>();
  for (const reason of Object.values(skipped)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const left = Object.keys(skipped).length;
  const text = `${plural(n, "finding")} ${VERBS[stateAfter(act)]}${left ? `, ${count(left)} skipped` : ""}`;
  return { text, details: [...reasons].map(([reason, times]) => `${count(times)}: ${reason}`) };
}
