import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { Grant, Person, Team } from "@/api/schema.gen";
import { Button, Loading, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "./api";
import { AddPerson, AddTeam } from "./components/add";
import { PersonPanel } from "./components/person_panel";
import { PEOPLE_KEYS } from "./keys";
import "./page.css";

const TONE = { active: "good", invited: "accent", disabled: "plain" } as const;

/** Everyone with an account, their roles, and the teams. */
export function PeoplePage() {
  const { who, grant, role, on } = useSearch({ from: "/people" });
  const navigate = useNavigate({ from: "/people" });
  const people = useQuery(api.people());
  const grants = useQuery(api.grants());
  const teams = useQuery(api.teams());
  const [asks, setAsks] = useState<"person" | "team" | null>(null);
  useCommands(PEOPLE_KEYS, { "people.add": () => setAsks("person"), "people.team": () => setAsks("team") });
  const items = people.data?.items ?? [];
  const chosen = items.find((person) => person.email === who);
  const select = (email: string) => void navigate({ search: { who: email === who ? undefined : email } });
  const failed = people.error ?? grants.error ?? teams.error;
  return (
    <Page
      title="People" meta={people.data ? plural(items.length, "account") : null}
      actions={people.error ? null : <><Button command="people.team">Create a team</Button><Button look="first" command="people.add">Add a person</Button></>}
    >
      {people.isPending ? <Loading what="the people" /> : null}
      {failed ? <ErrorState error={failed} onRetry={() => void people.refetch()} /> : null}
      {people.data && items.length === 0 ? <EmptyState title="Nobody yet"><p>Add a person, and send them the invitation.</p></EmptyState> : null}
      {items.length ? (
        <div className="people-columns">
          <div>
            <Panel className="table">
              <table className="rows people">
                <thead><tr><th>Name</th><th>Email</th><th>State</th><th>Roles</th></tr></thead>
                <tbody>
                  {items.map((person) => (
                    <PersonRow
                      key={person.id} person={person} isChosen={person.email === who} onChoose={() => select(person.email)}
                      roles={rolesOf(person, grants.data?.items ?? [], teams.data?.items ?? [])}
                    />
                  ))}
                </tbody>
              </table>
            </Panel>
            <Teams teams={teams.data?.items ?? []} />
          </div>
          {chosen ? <PersonPanel key={`${chosen.id} ${role ?? ""}`} person={chosen} proposed={role ? { role, on: on ?? "workspace" } : undefined} grants={grants.data?.items ?? []} teams={teams.data?.items ?? []} pointedAt={grant} /> : (
            <aside className="people-hint dim">Select a person to see and change their roles.</aside>
          )}
        </div>
      ) : null}
      <Dialog open={asks === "person"} onClose={() => setAsks(null)} label="Add a person">
        <AddPerson teams={teams.data?.items ?? []} onClose={() => setAsks(null)} />
      </Dialog>
      <Dialog open={asks === "team"} onClose={() => setAsks(null)} label="Create a team"><AddTeam onClose={() => setAsks(null)} /></Dialog>
    </Page>
  );
}

const rolesOf = (person: Person, grants: readonly Grant[], teams: readonly Team[]): string[] => [
  ...grants.filter((grant) => grant.who === person.email).map((grant) => (grant.on === "workspace" ? grant.role : `${grant.role} on ${grant.on}`)),
  ...teams.flatMap((team) => team.members.filter((member) => member.email === person.email).map((member) => `${member.role} in ${team.name}`)),
];

function PersonRow({ person, roles, isChosen, onChoose }: { person: Person; roles: string[]; isChosen: boolean; onChoose: () => void }) {
  return (
    <tr aria-selected={isChosen} className="goes">
      <td><button type="button" className="link" aria-pressed={isChosen} onClick={onChoose}>{person.name}</button>{person.kind === "service" ? <span className="dim"> service</span> : null}</td>
      <td className="people-email">{person.email.slice(0, person.email.lastIndexOf("@"))}<wbr />{person.email.slice(person.email.lastIndexOf("@"))}</td>
      <td><Pill tone={TONE[person.state]}>{person.state}</Pill></td>
      <td className={roles.length ? "" : "dim"}>{roles.join(", ") || "none: sees nothing"}</td>
    </tr>
  );
}

function Teams({ teams }: { teams: readonly Team[] }) {
  return (
    <Panel title="Teams" meta={plural(teams.length, "team")} className="table">
      {teams.length ? (
        <table className="rows people">
          <thead><tr><th>Team</th><th>Members</th><th>Datasets</th></tr></thead>
          <tbody>
            {teams.map((team) => (
              <tr key={team.id}>
                <td>{team.name}</td>
                <td>{team.members.map((member) => `${member.name} (${member.role})`).join(", ") || "nobody yet"}</td>
                <td>{team.datasets.join(", ") || <span className="dim">none; give some with <code>calotype team datasets</code></span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : <p className="people-note dim">The members of a team have their roles on the team's datasets.</p>}
    </Panel>
  );
}
