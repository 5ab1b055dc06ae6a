import { IconShieldCheck, IconShieldX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import * as queries from "@/api/queries";
import type { AuditEvent } from "@/api/types_release";
import { Page } from "@/app/page";
import { Button, Loading } from "@/kit/basics";
import { count, moment, plural, shown } from "@/kit/format";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import "./audit.css";

const STEP = 200;
const MOST = 5_000;

/** Who did what, newest first, and whether the chain of events is whole. */
export function AuditPage() {
  const { dataset } = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const [limit, setLimit] = useState(STEP);
  const found = useQuery({ ...queries.audit(dataset ?? "", limit), placeholderData: (before) => before });
  const list = useQuery(queries.datasets());
  const items = found.data?.items ?? [];
  return (
    <Page
      title="Audit" meta={found.data ? plural(items.length, "event") : null}
      actions={
        <select
          className="field" aria-label="Dataset" value={dataset ?? ""}
          onChange={(event) => void navigate({ search: { dataset: event.target.value || undefined } })}
        >
          <option value="">Everything</option>
          {list.data?.items.map((row) => <option key={row.name}>{row.name}</option>)}
        </select>
      }
    >
      {found.isPending ? <Loading what="the audit trail" /> : null}
      {found.error ? <ErrorState error={found.error} onRetry={() => void found.refetch()} /> : null}
      {found.data ? <Chain intact={found.data.intact} /> : null}
      {found.data && items.length === 0 ? <EmptyState title="No events"><p>Every change of the workspace is written down here.</p></EmptyState> : null}
      {items.length ? (
        <Panel className="table">
          <table className="rows audit">
            <thead><tr><th className="num">No.</th><th>When, UTC</th><th>Who</th><th>Did</th><th>To</th><th>Details</th></tr></thead>
            <tbody>{items.map((event) => <Row key={event.seq} event={event} known={list.data?.items.some((row) => row.name === event.subject) ?? false} />)}</tbody>
          </table>
        </Panel>
      ) : null}
      {items.length >= limit && limit < MOST ? (
        <p className="audit-more"><Button onClick={() => setLimit(Math.min(MOST, limit * 5))}>Show older events</Button></p>
      ) : null}
    </Page>
  );
}

function Chain({ intact }: { intact: boolean }) {
  return intact ? (
    <div className="notice good" role="status">
      <IconShieldCheck size={18} /> <span><strong>The chain is intact.</strong> Each event carries the hash of the one before; none was changed or taken out.</span>
    </div>
  ) : (
    <div className="notice bad" role="alert">
      <IconShieldX size={18} /> <span><strong>The chain is broken.</strong> An event was changed or taken out; <code>calotype verify</code> says where.</span>
    </div>
  );
}

function Row({ event, known }: { event: AuditEvent; known: boolean }) {
  const details = Object.entries(event.details);
  return (
    <tr>
      <td className="num dim">{count(event.seq)}</td>
      <td className="nowrap">{moment(event.at).replace(" UTC", "")}</td>
      <td className="nowrap">{event.actor}</td>
      <td className="mono nowrap">{event.verb}</td>
      <td className="cut" title={event.subject ?? undefined}>{known && event.subject ? <Link to="/d/$dataset" params={{ dataset: event.subject }} className="link">{event.subject}</Link> : event.subject}</td>
      <td>
        {details.length ? (
          <details className="audit-details">
            <summary><span className="cut">{details.slice(0, 4).map(([key, value]) => `${key} ${brief(value)}`).join(", ")}</span></summary>
            <dl className="facts">
              {details.map(([key, value]) => <Detail key={key} name={key} value={value} />)}
            </dl>
          </details>
        ) : null}
      </td>
    </tr>
  );
}

function Detail({ name, value }: { name: string; value: unknown }) {
  return <><dt>{name}</dt><dd className="mono">{shown(value)}</dd></>;
}

function brief(value: unknown): string {
  const text = shown(value);
  if (/^[0-9a-f]{32,}$/.test(text)) return text.slice(0, 8);
  return text.length > 48 ? `${text.slice(0, 47)}…` : text;
}
