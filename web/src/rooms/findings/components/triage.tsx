import { IconArrowBackUp, IconTool } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { datasetKey } from "@/api/cache";
import type { ListedFinding } from "@/api/schema.gen";
import { Button } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { plural } from "@/kit/format";
import { say } from "@/kit/said";
import * as api from "../api";
import { TRIAGE_KEYS } from "../keys";

type Props = { dataset: string; selected: ListedFinding[]; onDone: () => void };

/** Decisions on the selected findings; each takes effect at once and is recorded with the name of who made it. */
export function Triage({ dataset, selected, onDone }: Props) {
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const [until, setUntil] = useState("");
  const keys = selected.map((one) => one.key);
  const refresh = async () => {
    onDone();
    setNote("");
    await client.invalidateQueries({ queryKey: datasetKey(dataset) });
  };
  const fail = (error: Error) => say(error.message);
  const decide = useMutation({
    mutationFn: (decision: api.Decision) => api.decide(dataset, keys, decision),
    onSuccess: async (_, { state }) => {
      say(`${plural(keys.length, "finding")} ${state}`);
      await refresh();
    },
    onError: fail,
  });
  const fix = useMutation({
    mutationFn: () => api.fix(dataset, keys),
    onSuccess: async (staged) => {
      const left = Object.keys(staged.left_out).length;
      say(`${plural(staged.findings.length, "repair")} staged${left ? `, ${left} skipped` : ""}; run the checks to close them`);
      await refresh();
    },
    onError: fail,
  });
  const undo = useMutation({
    mutationFn: () => api.undoFix(dataset),
    onSuccess: async (undone) => {
      say(`Fix undone: ${plural(undone.findings.length, "finding")} reopened`);
      await refresh();
    },
    onError: fail,
  });
  const some = selected.length > 0;
  const reason = note.trim();
  useCommands(TRIAGE_KEYS, { "findings.fix": () => some && fix.mutate(), "findings.undo": () => undo.mutate() });
  const judge = (state: api.Decision["state"]) => () => decide.mutate({ state, note: reason, until: state === "accepted" ? until : undefined });
  return (
    <div className="triage" role="toolbar" aria-label="Triage">
      <span className="dim">{some ? `${selected.length} selected` : "None selected"}</span>
      <input className="triage-note" value={note} disabled={!some} placeholder="Reason" aria-label="Reason" maxLength={4000} onChange={(event) => setNote(event.target.value)} />
      <Button look="quiet" disabled={!some || reason.length < 3} onClick={judge("rejected")} title="Mark as a false positive; needs a reason">Reject</Button>
      <input className="triage-date" type="date" value={until} disabled={!some} aria-label="Accepted until" onChange={(event) => setUntil(event.target.value)} />
      <Button look="quiet" disabled={!some || reason.length < 3 || !until} onClick={judge("accepted")} title="Accept the risk until a date; needs a reason">Accept risk</Button>
      <Button look="quiet" disabled={!some} onClick={judge("fixed")} title="Mark as fixed; the next run of the checks closes it">Fixed</Button>
      <Button disabled={!selected.some((one) => one.repair)} busy={fix.isPending} onClick={() => fix.mutate()} title="Stage the suggested repairs (e)"><IconTool size={14} /> Fix</Button>
      <Button look="quiet" busy={undo.isPending} onClick={() => undo.mutate()} title="Undo the latest fix (u)"><IconArrowBackUp size={14} /> Undo</Button>
    </div>
  );
}
