import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ROLES } from "@/api/schema.gen";
import type { Team } from "@/api/schema.gen";
import { say } from "@/kit/said";
import * as api from "../api";
import { Field, Form } from "./form";
import { Once } from "./once";

/** Adds an account; then shows its invitation. */
export function AddPerson({ teams, onClose }: { teams: readonly Team[]; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [kind, setKind] = useState("person");
  const [role, setRole] = useState<api.Role | "">("");
  const [team, setTeam] = useState("");
  const adding = useMutation({
    mutationFn: () => api.addPerson({ email, name, kind, role, team }),
    onSuccess: async ({ invitation }) => {
      await client.invalidateQueries({ queryKey: api.PEOPLE });
      if (!invitation) {
        say(`Added ${name}`);
        onClose();
      }
    },
  });
  if (adding.data?.invitation) return <InvitationLink name={name} secret={adding.data.invitation} onClose={onClose} />;
  return (
    <Form title="Add a person" submit="Add" isReady={name.trim() !== "" && email.trim() !== ""} isBusy={adding.isPending} error={adding.error} onSubmit={() => adding.mutate()}>
      <Field label="Name">{(id) => <input id={id} className="field" value={name} autoFocus autoComplete="off" onChange={(event) => setName(event.target.value)} />}</Field>
      <Field label="Email">{(id) => <input id={id} className="field" type="email" value={email} autoComplete="off" onChange={(event) => setEmail(event.target.value)} />}</Field>
      <Field label="Account of">
        {(id) => (
          <select id={id} className="field" value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="person">a person</option><option value="service">a program</option>
          </select>
        )}
      </Field>
      <Field label="Role">{(id) => <RoleSelect id={id} value={role} withNone onPickRole={setRole} />}</Field>
      <Field label="In" hint={role ? "Where the role holds" : ""}>
        {(id) => (
          <select id={id} className="field" value={team} onChange={(event) => setTeam(event.target.value)}>
            <option value="">the whole workspace</option>
            {teams.map((one) => <option key={one.id} value={one.name}>team {one.name}</option>)}
          </select>
        )}
      </Field>
    </Form>
  );
}

/** The link that lets somebody in, once. */
export function InvitationLink({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <Once title={`Invitation for ${name}`} text={`${window.location.origin}/invite#${secret}`} onClose={onClose}>
      Send this link to {name}. It works once, within seven days, and is shown only now.
    </Once>
  );
}

export function RoleSelect({ id, value, withNone = false, onPickRole }: { id: string; value: api.Role | ""; withNone?: boolean; onPickRole: (role: api.Role | "") => void }) {
  return (
    <select id={id} className="field" value={value} onChange={(event) => onPickRole(event.target.value as api.Role | "")}>
      {withNone ? <option value="">none yet</option> : null}
      {ROLES.map((role) => <option key={role}>{role}</option>)}
    </select>
  );
}

/** Creates a team. */
export function AddTeam({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const adding = useMutation({
    mutationFn: () => api.addTeam(name.trim()),
    onSuccess: async (team) => {
      await client.invalidateQueries({ queryKey: api.PEOPLE });
      say(`Created the team ${team.name}`);
      onClose();
    },
  });
  return (
    <Form title="Create a team" submit="Create" isReady={name.trim() !== ""} isBusy={adding.isPending} error={adding.error} onSubmit={() => adding.mutate()}>
      <Field label="Name">{(id) => <input id={id} className="field" value={name} autoFocus autoComplete="off" onChange={(event) => setName(event.target.value)} />}</Field>
    </Form>
  );
}
