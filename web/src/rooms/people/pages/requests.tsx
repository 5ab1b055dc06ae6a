import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { AccessRequest } from "@/api/schema.gen";
import { Button, Loading, Pill, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { plural } from "@/kit/format";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { AccessFrame, useMay } from "../components/access_frame";
import { AskForm } from "../components/ask_form";
import { FourEyes } from "../components/four_eyes";
import { Waiting } from "../components/waiting";
import { OWN_REQUEST_KEYS, REQUESTS_KEYS } from "../keys";
import "../page.css";

const TONE = { open: "accent", "to-confirm": "accent", "end-to-confirm": "accent", granted: "good", ended: "bad", refused: "bad", withdrawn: "plain" } as const;
const STATE_WORDS: Partial<Record<AccessRequest["state"], string>> = { "to-confirm": "waits for a second owner", "end-to-confirm": "its end waits for a second owner" };

/** How many access requests wait for whoever is signed in; 0 for those who answer none. */
export function useWaiting(): number {
  const mayAnswer = useMay("grant.manage");
  const open = useQuery({ ...api.openRequests(), enabled: mayAnswer, refetchInterval: 60_000 });
  return open.data?.items.filter((request) => request.may_answer).length ?? 0;
}

/** Access requests: those that wait for an answer, and one's own. */
export function RequestsPage() {
  const search = useSearch({ from: "/access/requests" });
  const navigate = useNavigate({ from: "/access/requests" });
  const [asks, setAsks] = useState(false);
  const mayAnswer = useMay("grant.manage");
  const server = useQuery(api.health());
  const own = useQuery({ ...api.myRequests(), enabled: server.data?.accounts === true });
  const isOpen = asks || Object.values(search).some(Boolean);
  const close = () => (setAsks(false), void navigate({ search: {}, replace: true }));
  useCommands(REQUESTS_KEYS, { "access.ask": () => setAsks(true) });
  return (
    <AccessFrame title="Access requests" actions={<Button look="first" command="access.ask">Ask for access</Button>}>
      <div className="people-stack">
        {mayAnswer ? <Waiting /> : null}
        {own.isPending ? <Loading what="your access requests" rows={3} /> : null}
        {own.error ? <ErrorState error={own.error} onRetry={() => void own.refetch()} /> : null}
        {own.data ? <Own items={own.data.items} /> : null}
        {mayAnswer ? <FourEyes /> : null}
      </div>
      <Dialog open={isOpen} onClose={close} label="Ask for access"><AskForm search={search} onDone={close} /></Dialog>
    </AccessFrame>
  );
}

function Own({ items }: { items: readonly AccessRequest[] }) {
  const client = useQueryClient();
  const withdrawing = useMutation({
    mutationFn: api.withdrawRequest,
    onSuccess: (request) => (say(`Withdrew the request for ${request.role} on ${request.on}`), client.invalidateQueries({ queryKey: api.PEOPLE })),
  });
  const newest = items.find((request) => request.state === "open");
  useCommands(OWN_REQUEST_KEYS, { "access.withdraw": () => newest && withdrawing.mutate(newest.id) });
  return (
    <Panel title="My requests" meta={plural(items.length, "access request")} className="table">
      {items.length ? (
        <table className="rows people actions">
          <thead><tr><th>Asked for</th><th>Reason</th><th>Asked</th><th>State</th><th>Answer</th><th /></tr></thead>
          <tbody>
            {items.map((request) => (
              <tr key={request.id}>
                <td><strong>{request.role}</strong> on {request.on}</td>
                <td>{request.reason || <span className="dim">none given</span>}</td>
                <td className="nowrap"><When at={request.asked_at} /></td>
                <td><Pill tone={TONE[request.state]}>{STATE_WORDS[request.state] ?? request.state}</Pill></td>
                <td>{request.answered_by ? <>{request.note} <span className="dim">{request.answered_by}</span></> : null}</td>
                <td className="num">
                  {request.state === "open" || request.state === "to-confirm" ? <Button look="quiet" command="access.withdraw" title={`Withdraw ${request.role} on ${request.on}`} onClick={() => withdrawing.mutate(request.id)}>Withdraw</Button> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : <p className="people-note dim">You have asked for nothing yet. Ask for a role on a dataset, a team or the workspace; a refusal anywhere in the app leads here, too.</p>}
      {withdrawing.error ? <ErrorState error={withdrawing.error} /> : null}
    </Panel>
  );
}
