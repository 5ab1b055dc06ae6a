import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ROLES } from "@/api/schema.gen";
import type { Grant, Person, Team } from "@/api/schema.gen";
import { Button, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import { datasets } from "@/rooms/datasets/api";
import * as api from "../api";
import { PERSON_KEYS } from "../keys";
import { InvitationLink, RoleSelect } from "./add";
import { Field, Form } from "./form";

/** What is added where four eyes hold back a governing role. */
const SECOND = (grant: Grant) => (grant.waits ? " once a second owner confirms it, on the page Access requests" : "");

/** A grant that the address proposes. */
type Proposed = { role: string; on: string };

/** One person: what they hold, and what can be done about it. */
export function PersonPanel({ person, grants, teams, pointedAt, proposed }: {
  person: Person; grants: readonly Grant[]; teams: readonly Team[]; pointedAt?: string | undefined; proposed?: Proposed | undefined;
}) {
  const client = useQueryClient();
  const [asks, setAsks] = useState<"grant" | "member" | null>(proposed ? "grant" : null);
  const [secret, setSecret] = useState("");
  const refresh = () => client.invalidateQueries({ queryKey: api.PEOPLE });
  const mine = grants.filter((grant) => grant.who === person.email);
  const inTeams = teams.flatMap((team) => team.members.filter((member) => member.email === person.email).map((member) => ({ team: team.name, role: member.role })));
  const changing = useMutation({
    mutationFn: () => (person.state === "disabled" ? api.enable(person.email) : api.disable(person.email)),
    onSuccess: (changed) => (say(`${changed.name} is ${changed.state}`), refresh()),
  });
  const inviting = useMutation({ mutationFn: () => api.invite(person.email), onSuccess: ({ invitation }) => (setSecret(invitation), refresh()) });
  const revoking = useMutation({
    mutationFn: (id: string) => api.revokeGrant(id),
    onSuccess: (grant) => (say(`${person.name} is not ${grant.role} on ${grant.on} any more${SECOND(grant)}`), refresh()),
  });
  const newest = mine.at(-1);
  useCommands(PERSON_KEYS, {
    "people.grant": () => setAsks("grant"),
    "people.member": () => setAsks("member"),
    "people.invite": () => inviting.mutate(),
    "people.state": () => changing.mutate(),
    "people.revoke": () => newest && revoking.mutate(newest.id),
  });
  const failed = changing.error ?? inviting.error ?? revoking.error;
  return (
    <aside className="people-panel" aria-label={person.name}>
      <Panel title={person.name} meta={<Pill>{person.state}</Pill>}>
        <dl className="facts"><dt>Email</dt><dd>{person.email}</dd><dt>Added</dt><dd>{person.created_at.slice(0, 10)} by {person.created_by}</dd></dl>
        <h3>Roles</h3>
        <ul className="people-grants">
          {mine.map((grant) => (
            <li key={grant.id} className={grant.id === pointedAt ? "pointed" : ""} aria-current={grant.id === pointedAt}>
              <span><strong>{grant.role}</strong> on {grant.on}{grant.until ? ` until ${grant.until.slice(0, 10)}` : ""}{grant.reason ? <span className="dim"> {grant.reason}</span> : null}</span>
              <Button look="quiet" command="people.revoke" title={`Revoke ${grant.role} on ${grant.on}`} onClick={() => revoking.mutate(grant.id)}>Revoke</Button>
            </li>
          ))}
          {inTeams.map((one) => <li key={one.team}><span><strong>{one.role}</strong> in team {one.team}</span></li>)}
          {mine.length + inTeams.length === 0 ? <li className="dim">None: {person.name} sees nothing.</li> : null}
        </ul>
        <div className="people-row">
          <Button look="first" command="people.grant">Grant a role</Button>
          <Button command="people.member" disabled={teams.length === 0}>Put into a team</Button>
        </div>
        <div className="people-row">
          {person.kind === "person" ? <Button command="people.invite" busy={inviting.isPending}>New invitation</Button> : null}
          <Button command="people.state" busy={changing.isPending}>{person.state === "disabled" ? "Enable" : "Disable"}</Button>
        </div>
        <p className="state-next people-row">
          <Link to="/audit" search={{ who: person.email }} className="link">Timeline</Link>
          <Link to="/access" search={{ ask: "why", who: person.email }} className="link">Why can or can’t they</Link>
        </p>
        {failed ? <ErrorState error={failed} /> : null}
      </Panel>
      <Dialog open={asks === "grant"} onClose={() => setAsks(null)} label="Grant a role">
        <GrantForm person={person} teams={teams} proposed={proposed} onDone={() => (setAsks(null), void refresh())} />
      </Dialog>
      <Dialog open={asks === "member"} onClose={() => setAsks(null)} label="Put into a team">
        <MemberForm person={person} teams={teams} onDone={() => (setAsks(null), void refresh())} />
      </Dialog>
      <Dialog open={secret !== ""} onClose={() => setSecret("")} label="Invitation"><InvitationLink name={person.name} secret={secret} onClose={() => setSecret("")} /></Dialog>
    </aside>
  );
}

function GrantForm({ person, teams, proposed, onDone }: { person: Person; teams: readonly Team[]; proposed: Proposed | undefined; onDone: () => void }) {
  const list = useQuery(datasets());
  const [role, setRole] = useState<api.Role>(ROLES.find((one) => one === proposed?.role) ?? "curator");
  const [on, setOn] = useState(proposed?.on ?? "workspace");
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const granting = useMutation({
    mutationFn: () => api.addGrant({ who: person.email, role, on, until, reason }),
    onSuccess: (grant) => (say(`${person.name} is ${grant.role} on ${grant.on}${SECOND(grant)}`), onDone()),
  });
  return (
    <Form title={`Grant a role to ${person.name}`} submit="Grant" isReady isBusy={granting.isPending} error={granting.error} onSubmit={() => granting.mutate()}>
      <Field label="Role">{(id) => <RoleSelect id={id} value={role} onPickRole={(picked) => picked && setRole(picked)} />}</Field>
      <Field label="On">
        {(id) => (
          <select id={id} className="field" value={on} onChange={(event) => setOn(event.target.value)}>
            <option value="workspace">the whole workspace</option>
            {teams.map((team) => <option key={team.id} value={`team:${team.name}`}>team {team.name}</option>)}
            {list.data?.items.map((row) => <option key={row.name} value={`dataset:${row.name}`}>dataset {row.name}</option>)}
          </select>
        )}
      </Field>
      <Field label="Until" hint="Last day; empty for no end">{(id) => <input id={id} className="field" type="date" value={until} onChange={(event) => setUntil(event.target.value)} />}</Field>
      <Field label="Reason">{(id) => <input id={id} className="field" value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
    </Form>
  );
}

function MemberForm({ person, teams, onDone }: { person: Person; teams: readonly Team[]; onDone: () => void }) {
  const [team, setTeam] = useState(teams[0]?.name ?? "");
  const [role, setRole] = useState<api.Role>("curator");
  const adding = useMutation({ mutationFn: () => api.addMember(team, person.email, role), onSuccess: onDone });
  return (
    <Form title={`Put ${person.name} into a team`} submit="Put into the team" isReady={team !== ""} isBusy={adding.isPending} error={adding.error} onSubmit={() => adding.mutate()}>
      <Field label="Team">
        {(id) => <select id={id} className="field" value={team} onChange={(event) => setTeam(event.target.value)}>{teams.map((one) => <option key={one.id}>{one.name}</option>)}</select>}
      </Field>
      <Field label="Role">{(id) => <RoleSelect id={id} value={role} onPickRole={(picked) => picked && setRole(picked)} />}</Field>
    </Form>
  );
}
