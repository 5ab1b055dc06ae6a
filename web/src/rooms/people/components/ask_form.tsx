import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ROLES } from "@/api/schema.gen";
import { Loading } from "@/kit/basics";
import { say } from "@/kit/said";
import { datasets } from "@/rooms/datasets/api";
import * as api from "../api";
import type { RequestsSearch } from "../search";
import { RoleSelect } from "./add";
import { Field, Form } from "./form";
import { inWords } from "./question";

const isRole = (text: string | undefined): text is api.Role => ROLES.some((role) => role === text);

/** Asks for a role. What a refusal has filled in is proposed: the smallest role that would have allowed it. */
export function AskForm({ search, onDone }: { search: RequestsSearch; onDone: () => void }) {
  const { action, on } = search;
  const isQuestion = Boolean(action && on && !on.endsWith(":"));
  const proposed = useQuery({ ...api.why(action ?? "", on ?? ""), enabled: isQuestion });
  if (isQuestion && proposed.isPending) return <div className="people-form"><Loading what="what to ask for" rows={4} /></div>;
  const smallest = proposed.data?.would_allow[0];
  const role = search.role ?? smallest?.role;
  return (
    <AskFields
      role={isRole(role) ? role : "annotator"} on={smallest?.on ?? on ?? ""} onDone={onDone}
      warning={proposed.data?.allowed === false && !smallest ? proposed.data.says : ""}
      purpose={action && on && !on.endsWith(":") ? `To ${inWords(action)} on ${on}` : ""}
    />
  );
}

function AskFields({ role: proposed, on: place, purpose, warning, onDone }: { role: api.Role; on: string; purpose: string; warning: string; onDone: () => void }) {
  const client = useQueryClient();
  const list = useQuery(datasets());
  const [role, setRole] = useState<api.Role>(proposed);
  const [on, setOn] = useState(place);
  const [reason, setReason] = useState(purpose);
  const asking = useMutation({
    mutationFn: () => api.askForAccess({ role, on: on.trim(), reason, for_email: "" }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: api.PEOPLE });
      say("Asked; whoever may grant it sees your request");
      onDone();
    },
  });
  return (
    <Form title="Ask for access" submit="Ask" isReady={on.trim() !== "" && !on.trim().endsWith(":")} isBusy={asking.isPending} error={asking.error} onSubmit={() => asking.mutate()}>
      {warning ? <p className="access-warning">No role alone changes this: {warning}. Say in the reason what you need.</p> : null}
      <Field label="Role">{(id) => <RoleSelect id={id} value={role} onPickRole={(picked) => picked && setRole(picked)} />}</Field>
      <Field label="On" hint="dataset:NAME, team:NAME or workspace">
        {(id) => (
          <>
            <input id={id} className="field" value={on} list={`${id}-places`} maxLength={220} spellCheck={false} autoComplete="off" onChange={(event) => setOn(event.target.value)} />
            <datalist id={`${id}-places`}><option value="workspace" />{list.data?.items.map((row) => <option key={row.name} value={`dataset:${row.name}`} />)}</datalist>
          </>
        )}
      </Field>
      <Field label="Reason" hint="Whoever answers reads it">{(id) => <input id={id} className="field" value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
    </Form>
  );
}
