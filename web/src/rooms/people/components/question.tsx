import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ACTIONS } from "@/api/schema.gen";
import { Button, Segmented } from "@/kit/basics";
import { datasets } from "@/rooms/datasets/api";
import type * as api from "../api";
import { people, teams } from "../api";
import type { AccessSearch } from "../search";

/** What each action is, in words that finish "may ...". */
export const IN_WORDS: Readonly<Record<api.Action, string>> = {
  "dataset.read": "see data", "dataset.create": "create datasets", "dataset.edit": "edit data", "dataset.commit": "commit, branch and merge", "dataset.classify": "classify data",
  "check.run": "run checks", "finding.triage": "assign findings", "finding.judge": "decide on findings", "contract.edit": "change contracts",
  "work.do": "annotate", "work.review": "review annotations", "batch.manage": "manage batches", "guideline.edit": "write guidelines and rule on questions",
  "release.create": "release", "dataset.export": "export", "pipeline.run": "run pipelines", "audit.read": "read the audit trail",
  "workspace.maintain": "maintain the workspace", "people.read": "see people and grants", "people.manage": "manage people",
  "grant.manage": "grant roles", "account.own": "have an account",
};

/** Actions that are decided for the whole workspace only. */
const OF_WORKSPACE: readonly string[] = ["dataset.create", "workspace.maintain", "people.read", "people.manage", "grant.manage", "account.own"] satisfies api.Action[];

/** The words of an action; an unknown one stays as it is. */
export const inWords = (action: string): string => IN_WORDS[action as api.Action] ?? action;

/** A question about access. It counts when it is asked; then the address holds it. */
export function Question({ search, seesPeople, onAsk }: { search: AccessSearch; seesPeople: boolean; onAsk: (search: AccessSearch) => void }) {
  const everyone = useQuery({ ...people(), enabled: seesPeople });
  const units = useQuery({ ...teams(), enabled: seesPeople });
  const list = useQuery(datasets());
  const [chosen, setAsk] = useState(search.ask);
  const ask = chosen ?? (seesPeople ? "who" : "why");
  const [who, setWho] = useState(search.who ?? "");
  const [action, setAction] = useState(search.action ?? "dataset.read");
  const [on, setOn] = useState(search.on ?? "");
  const place = OF_WORKSPACE.includes(action) ? "workspace" : on;
  const places = [...(units.data?.items ?? []).map((team) => `team:${team.name}`), ...(list.data?.items ?? []).map((row) => `dataset:${row.name}`)];
  return (
    <form
      className="access-question" aria-label="Question" onSubmit={(event) => {
        event.preventDefault();
        if (place.trim()) onAsk({ ask, who: ask === "why" && who ? who : undefined, action, on: place.trim() });
      }}
    >
      {seesPeople ? <Segmented label="Question" value={ask} onChange={setAsk} options={[{ value: "who", label: "Who can" }, { value: "why", label: "Why can or can’t" }]} /> : <span>Why can or can’t I</span>}
      {seesPeople && ask === "why" ? (
        <select className="field" aria-label="Person" value={who} onChange={(event) => setWho(event.target.value)}>
          <option value="">I</option>
          {who && !everyone.data?.items.some((one) => one.email === who) ? <option>{who}</option> : null}
          {everyone.data?.items.map((one) => <option key={one.id} value={one.email}>{one.name} ({one.email})</option>)}
        </select>
      ) : null}
      <select className="field" aria-label="Action" value={action} onChange={(event) => setAction(event.target.value)}>
        {ACTIONS.map((one) => <option key={one} value={one}>{IN_WORDS[one]}</option>)}
      </select>
      <span className="dim">on</span>
      <input
        className="field" aria-label="Resource" list="access-places" placeholder="dataset:NAME, team:NAME or workspace" maxLength={220} spellCheck={false}
        value={place} disabled={OF_WORKSPACE.includes(action)} onChange={(event) => setOn(event.target.value)}
      />
      <datalist id="access-places"><option value="workspace" />{places.map((one) => <option key={one} value={one} />)}</datalist>
      <Button look="first" type="submit" disabled={!place.trim()}>Ask</Button>
    </form>
  );
}
