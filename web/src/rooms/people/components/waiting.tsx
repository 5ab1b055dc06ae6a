import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { AccessRequest } from "@/api/schema.gen";
import { Button, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { plural } from "@/kit/format";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { ANSWER_KEYS, ANSWERED_KEYS } from "../keys";

type Said = { request: AccessRequest; yes: boolean; until: string; reason: string };

/** The requests of others that wait, with yes and no in place; a yes can be undone. */
export function Waiting() {
  const client = useQueryClient();
  const open = useQuery(api.openRequests());
  const refresh = () => client.invalidateQueries({ queryKey: api.PEOPLE });
  const [last, setLast] = useState<AccessRequest | null>(null);
  const answering = useMutation({
    mutationFn: ({ request, yes, until, reason }: Said) => api.answerRequest(request.id, { yes, until, reason }),
    onSuccess: (answered) => (setLast(answered), refresh()),
  });
  const items = (open.data?.items ?? []).toReversed();
  const first = items.find((request) => request.may_answer);
  const answerFirst = (yes: boolean) => first && answering.mutate({ request: first, yes, until: "", reason: "" });
  useCommands(ANSWER_KEYS, { "access.yes": () => answerFirst(true), "access.no": () => answerFirst(false) });
  return (
    <Panel title="Waiting for an answer" meta={open.data ? plural(items.length, "access request") : null} className="table">
      {last ? <Answered request={last} onDone={() => setLast(null)} /> : null}
      {open.error ?? answering.error ? <ErrorState error={open.error ?? answering.error} /> : null}
      {items.length ? (
        <table className="rows people actions">
          <thead><tr><th>Person</th><th>Asks for</th><th>Reason</th><th>Asked</th><th>Until, note</th><th /></tr></thead>
          <tbody>{items.map((request) => <WaitingRow key={request.id} request={request} isBusy={answering.isPending} onAnswer={answering.mutate} />)}</tbody>
        </table>
      ) : open.data ? <p className="people-note dim">Nothing waits. When somebody asks for access, the sidebar shows a count.</p> : null}
    </Panel>
  );
}

function WaitingRow({ request, isBusy, onAnswer }: { request: AccessRequest; isBusy: boolean; onAnswer: (said: Said) => void }) {
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const asked = `${request.role} on ${request.on} for ${request.name}`;
  const isSecond = request.state !== "open";
  return (
    <tr>
      <td className="nowrap"><Link to="/people" search={{ who: request.who }} className="link" title={request.who}>{request.name}</Link></td>
      <td>
        {request.state === "end-to-confirm" ? "loses " : ""}<strong>{request.role}</strong> on {request.on}
        {isSecond ? <p className="dim">{request.state === "to-confirm" ? "given" : "taken"} by {request.answered_by}; a second owner confirms</p> : null}
      </td>
      <td>{request.reason || <span className="dim">none given</span>}</td>
      <td className="nowrap"><When at={request.asked_at} /></td>
      {request.may_answer && isSecond ? (
        <>
          <td className="dim">in force when confirmed</td>
          <td className="num nowrap">
            <Button look="first" command="access.yes" title={`Confirm: ${asked}`} disabled={isBusy} onClick={() => onAnswer({ request, yes: true, until: "", reason })}>Confirm</Button>{" "}
            <Button command="access.no" title={`No: ${asked}`} disabled={isBusy} onClick={() => onAnswer({ request, yes: false, until: "", reason })}>No</Button>
          </td>
        </>
      ) : request.may_answer ? (
        <>
          <td>
            <div className="access-note-fields">
              <input className="field" type="date" aria-label={`Last day of ${asked}`} value={until} onChange={(event) => setUntil(event.target.value)} />
              <input className="field" aria-label={`Note on ${asked}`} placeholder="Note" maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
            </div>
          </td>
          <td className="num nowrap">
            <Button look="first" command="access.yes" title={`Yes: ${asked}`} disabled={isBusy} onClick={() => onAnswer({ request, yes: true, until, reason })}>Yes</Button>{" "}
            <Button command="access.no" title={`No: ${asked}`} disabled={isBusy} onClick={() => onAnswer({ request, yes: false, until: "", reason })}>No</Button>
          </td>
        </>
      ) : <><td className="dim">Somebody else answers this</td><td /></>}
    </tr>
  );
}

/** What an answer means now. */
function outcome({ state, name, role, on }: AccessRequest): string {
  if (state === "granted") return `${name} is ${role} on ${on} now.`;
  if (state === "ended") return `${name} is not ${role} on ${on} any more.`;
  if (state === "to-confirm") return `${name} is ${role} on ${on} once a second owner confirms it.`;
  return `Refused ${role} on ${on} to ${name}.`;
}

/** What was answered last; a yes is undone by revoking its grant. */
function Answered({ request, onDone }: { request: AccessRequest; onDone: () => void }) {
  const client = useQueryClient();
  const undoing = useMutation({
    mutationFn: () => api.revokeGrant(request.grant),
    onSuccess: async (undone) => {
      say(`${request.name} is not ${request.role} on ${request.on} any more${undone.waits ? " once a second owner confirms it" : ""}`);
      await client.invalidateQueries({ queryKey: api.PEOPLE });
      onDone();
    },
  });
  const isGranted = request.state === "granted";
  useCommands(ANSWERED_KEYS, { "access.undo": () => isGranted && undoing.mutate() });
  return (
    <div className={`notice ${isGranted ? "good" : ""}`} role="status">
      <span>{outcome(request)}</span>
      {isGranted ? <Button look="quiet" command="access.undo" busy={undoing.isPending}>Undo</Button> : null}
      {undoing.error ? <ErrorState error={undoing.error} /> : null}
    </div>
  );
}
