import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { IconCheck, IconX } from "@tabler/icons-react";
import type { Access, Explanation, Holding } from "@/api/schema.gen";
import { Loading, Pill } from "@/kit/basics";
import { plural } from "@/kit/format";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import { inWords } from "./question";

/** Everyone who may do something, with the grants that let them. */
export function WhoCan({ action, on }: { action: string; on: string }) {
  const asked = useQuery(api.whoCan(action, on));
  const items = asked.data?.items ?? [];
  return (
    <Panel title={`Who can ${inWords(action)} on ${on}`} meta={asked.data ? plural(items.length, "person", "people") : null} className="table">
      {asked.isPending ? <Loading what="the people" rows={3} /> : null}
      {asked.error ? <ErrorState error={asked.error} /> : null}
      {asked.data && items.length === 0 ? <EmptyState title="Nobody can"><p>Grant somebody a role on the page <Link to="/people" className="link">People</Link>.</p></EmptyState> : null}
      {items.length ? (
        <table className="rows people">
          <thead><tr><th>Name</th><th>Email</th><th>By</th><th>Why</th></tr></thead>
          <tbody>{items.map((item) => <PersonWhoCan key={item.who} item={item} action={action} on={on} />)}</tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function PersonWhoCan({ item, action, on }: { item: Access; action: string; on: string }) {
  return (
    <tr>
      <td><Link to="/people" search={{ who: item.who }} className="link">{item.name}</Link>{item.kind === "service" ? <span className="dim"> service</span> : null}</td>
      <td>{item.who}</td>
      <td><Held who={item.who} by={item.by} /></td>
      <td><Link to="/access" search={{ ask: "why", who: item.who, action, on }} className="link dim">{item.rule}</Link></td>
    </tr>
  );
}

/** Grants and teams of which each alone is enough; a grant links to itself. */
function Held({ who, by }: { who: string; by: readonly Holding[] }) {
  if (by.length === 0) return <span className="dim">the account itself</span>;
  return (
    <ul className="access-held">
      {by.map((one) => (
        <li key={one.grant || `${one.role} ${one.on}`}>
          <Link to="/people" search={{ who, grant: one.grant || undefined }} className="link">{one.role} on {one.on}</Link>
          {one.until ? <span className="dim"> until {one.until.slice(0, 10)}</span> : null}
        </li>
      ))}
    </ul>
  );
}

/** Whether somebody may do something, by which rule, and the grants that would change a no. */
export function Why({ action, on, who = "", mayGrant }: { action: string; on: string; who?: string | undefined; mayGrant: boolean }) {
  const asked = useQuery(api.why(action, on, who));
  if (asked.isPending) return <Panel title="Answer"><Loading what="the answer" rows={3} /></Panel>;
  if (asked.error) return <Panel title="Answer"><ErrorState error={asked.error} /></Panel>;
  const answer = asked.data;
  return (
    <Panel title={`${who || "You"} ${answer.allowed ? "may" : "may not"} ${inWords(answer.action)} on ${on}`}>
      <dl className="facts access-why">
        <dt>Decision</dt>
        <dd>{answer.allowed ? <Pill tone="good" icon={<IconCheck size={12} />}>yes</Pill> : <Pill tone="bad" icon={<IconX size={12} />}>no</Pill>}</dd>
        <dt>Rule</dt>
        <dd>{answer.says} <span className="mono dim">{answer.rule}</span></dd>
        {answer.allowed ? <><dt>By</dt><dd><Held who={answer.who} by={answer.by} /></dd></> : null}
      </dl>
      {answer.allowed ? null : <Remedies answer={answer} isOwn={who === ""} mayGrant={mayGrant} />}
    </Panel>
  );
}

function Remedies({ answer, isOwn, mayGrant }: { answer: Explanation; isOwn: boolean; mayGrant: boolean }) {
  if (answer.would_allow.length === 0) return <p className="access-note dim">No grant changes this. {isOwn ? "Ask an owner of the workspace." : ""}</p>;
  return (
    <>
      <h3 className="access-note">Each of these grants would change it, the smallest first</h3>
      <ul className="access-remedies">
        {answer.would_allow.map(({ role, on }) => (
          <li key={`${role} ${on}`}>
            <span><strong>{role}</strong> on {on}</span>
            {isOwn ? <Link to="/access/requests" search={{ role, on }} className="link">Ask for it</Link>
              : mayGrant ? <Link to="/people" search={{ who: answer.who, role, on }} className="link">Grant it</Link> : null}
          </li>
        ))}
      </ul>
    </>
  );
}
