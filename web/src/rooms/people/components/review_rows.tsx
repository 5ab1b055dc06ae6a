import { Link } from "@tanstack/react-router";
import type { ReviewRow } from "@/api/schema.gen";
import { Button, When } from "@/kit/basics";
import { plural } from "@/kit/format";
import { Panel } from "@/kit/page";

type Kind = ReviewRow["kind"];

/** What each kind of row is, and what to do about it. */
export const KINDS: Readonly<Record<Kind, { title: string; says: string }>> = {
  "grant-unused": { title: "Grants without use", says: "The person has done nothing for 90 days about what the grant covers." },
  "token-unused": { title: "API tokens without use", says: "No request has used the token for 90 days." },
  "token-ending": { title: "API tokens that end soon", says: "The token ends within 14 days; what uses it needs a new one by then." },
  "person-without-role": { title: "People without a role", says: "The person has neither a grant nor a team, and sees nothing." },
  "disabled-with-role": { title: "Disabled people who hold roles", says: "The roles are in force again when the person is enabled." },
  "last-owner": { title: "One owner is left", says: "Without a second owner nobody can let people in when this one is away." },
};
const OF_TOKENS: readonly Kind[] = ["token-unused", "token-ending"];
const LEADS: Partial<Record<Kind, string>> = { "person-without-role": "Give a role", "disabled-with-role": "Roles", "last-owner": "Add an owner" };

/** The rows of one kind, with what can be done about each. */
export function ReviewRows({ kind, rows, mayChange, onRevoke, onKeep }: {
  kind: Kind; rows: readonly ReviewRow[]; mayChange: boolean; onRevoke: (row: ReviewRow) => void; onKeep: (row: ReviewRow) => void;
}) {
  const isToken = OF_TOKENS.includes(kind);
  const isPerson = LEADS[kind] !== undefined;
  return (
    <Panel title={KINDS[kind].title} meta={plural(rows.length, "row")} className="table">
      <p className="access-says dim">{KINDS[kind].says}</p>
      <table className="rows people actions access-review">
        <thead><tr><th>Person</th><th>{isToken ? "Token" : "Role"}</th><th>{isToken ? "Datasets" : "On"}</th><th>Since</th><th>{isToken ? "Last used" : ""}</th><th>{isPerson ? "" : "Until"}</th><th /></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td><Link to="/people" search={{ who: row.who, grant: kind === "grant-unused" ? row.id : undefined }} className="link" title={row.who}>{row.name}</Link></td>
              <td>{row.role || <span className="dim">none</span>}</td>
              <td>{row.on || (isToken ? "all that the person sees" : "")}</td>
              <td className="nowrap">{row.since.slice(0, 10)}</td>
              <td className="nowrap">{isToken ? (row.last_used ? <When at={row.last_used} /> : "never") : null}</td>
              <td className="nowrap">{row.until?.slice(0, 10) ?? (kind === "grant-unused" ? <span className="dim">no end</span> : null)}</td>
              <td className="num nowrap">
                {row.kept ? <span className="dim" title={row.kept.reason}>kept by {row.kept.by} on {row.kept.at.slice(0, 10)}: {row.kept.reason}</span> : mayChange ? (
                  <>
                    {isPerson ? <Link to="/people" search={{ who: row.who }} className="button quiet">{LEADS[kind]}</Link> : <Button look="quiet" command="review.revoke" title={`Revoke ${row.role} of ${row.name}`} onClick={() => onRevoke(row)}>Revoke</Button>}{" "}
                    <Button look="quiet" command="review.keep" title={`Keep ${row.role || row.name}`} onClick={() => onKeep(row)}>Keep</Button>
                  </>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
