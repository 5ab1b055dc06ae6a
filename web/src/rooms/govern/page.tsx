import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Button, Loading } from "@/kit/basics";
import { plural } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import { datasets } from "@/rooms/datasets/api";
import * as api from "./api";
import { Chain } from "./components/chain";
import { EventRow } from "./components/event_row";
import "./page.css";

const STEP = 200;
const MOST = 5_000;

/** The audit trail, newest first, and whether its hash chain is intact. */
export function AuditPage() {
  const { dataset } = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const [limit, setLimit] = useState(STEP);
  const query = useQuery({ ...api.audit(dataset ?? "", limit), placeholderData: (before) => before });
  const list = useQuery(datasets());
  const items = query.data?.items ?? [];
  return (
    <Page
      title="Audit" meta={query.data ? plural(items.length, "event") : null}
      actions={<>
        <CopyAs panel="audit" shown={{ dataset }} />
        <select
          className="field" aria-label="Dataset" value={dataset ?? ""}
          onChange={(event) => void navigate({ search: { dataset: event.target.value || undefined } })}
        >
          <option value="">All datasets</option>
          {list.data?.items.map((row) => <option key={row.name}>{row.name}</option>)}
        </select>
      </>}
    >
      {query.isPending ? <Loading what="the audit trail" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.data ? <Chain intact={query.data.intact} /> : null}
      {query.data && items.length === 0 ? <EmptyState title="No events"><p>Every change to this workspace is recorded here.</p></EmptyState> : null}
      {items.length ? (
        <Panel className="table">
          <table className="rows audit">
            <thead><tr><th className="num">No.</th><th>Time (UTC)</th><th>Actor</th><th>Action</th><th>Subject</th><th>Details</th></tr></thead>
            <tbody>{items.map((event) => <EventRow key={event.seq} event={event} known={list.data?.items.some((row) => row.name === event.subject) ?? false} />)}</tbody>
          </table>
        </Panel>
      ) : null}
      {items.length >= limit && limit < MOST ? (
        <p className="audit-more"><Button onClick={() => setLimit(Math.min(MOST, limit * 5))}>Show older events</Button></p>
      ) : null}
    </Page>
  );
}
