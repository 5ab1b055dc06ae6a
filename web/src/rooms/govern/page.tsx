import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { Button, Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { CopyAs } from "@/kit/copy_as";
import { plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import { datasets } from "@/rooms/datasets/api";
import { health } from "@/rooms/people/api";
import * as api from "./api";
import { Chain } from "./components/chain";
import { EventRow } from "./components/event_row";
import { Filters } from "./components/filters";
import { byDay, Timeline } from "./components/timeline";
import { save } from "./components/save";
import { AUDIT_KEYS } from "./keys";
import "./page.css";

const STEP = 200;
const MOST = 5_000;

/** The audit trail, newest first, and whether its hash chain is intact. */
export function AuditPage() {
  const search = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const [limit, setLimit] = useState(STEP);
  const query = useQuery({ ...api.audit(search, limit), placeholderData: (before) => before });
  const list = useQuery(datasets());
  const server = useQuery(health());
  const signing = useMutation({
    mutationFn: api.signCheckpoint,
    onSuccess: (signed) => {
      save(signed.file, `audit-${String(signed.size).padStart(9, "0")}.checkpoint.json`);
      say(`Checkpoint of ${plural(signed.size, "event")}, signed with key ${signed.key}`);
    },
  });
  const verifying = useMutation({ mutationFn: api.verify });
  useCommands(AUDIT_KEYS, { "audit.checkpoint": () => signing.mutate(), "audit.verify": () => verifying.mutate() });
  const items = query.data?.items ?? [];
  const isFiltered = Object.values(search).some((value) => value !== undefined);
  const failed = query.error ?? signing.error ?? verifying.error;
  return (
    <Page
      title="Audit" meta={query.data ? plural(items.length, "event") : null}
      actions={query.error ? null : <>
        <CopyAs panel="audit" shown={search} />
        <a href={api.exportUrl(search)} download className="button"><IconDownload size={14} /> Export</a>
        <Button command="audit.checkpoint" busy={signing.isPending}>Checkpoint</Button>
        <Button command="audit.verify" busy={verifying.isPending}>Verify</Button>
      </>}
    >
      <Filters search={search} datasets={list.data?.items ?? []} onChange={(next) => void navigate({ search: next })} />
      {query.isPending ? <Loading what="the audit trail" /> : null}
      {failed ? <ErrorState error={failed} onRetry={() => void query.refetch()} /> : null}
      {query.data ? <Chain intact={query.data.intact} verification={verifying.data} /> : null}
      {search.who && items.length ? <Timeline events={items} who={search.who} hasAccounts={server.data?.accounts ?? false} /> : null}
      {query.data && items.length === 0 ? (
        <EmptyState title="No events"><p>{isFiltered ? "No event matches these filters." : "Every change to this workspace is recorded here."}</p></EmptyState>
      ) : null}
      {items.length ? (
        <Panel className="table">
          <table className="rows audit">
            <thead><tr><th className="num">No.</th><th>Time (UTC)</th><th>Actor</th><th>Action</th><th>Subject</th><th>Details</th></tr></thead>
            {(search.who ? byDay(items) : [{ day: "", events: items }]).map(({ day, events }) => (
              <tbody key={day}>
                {day ? <tr className="audit-day"><th colSpan={6} scope="rowgroup">{day} <span className="dim">{plural(events.length, "event")}</span></th></tr> : null}
                {events.map((event) => <EventRow key={event.seq} event={event} open={event.seq === search.event} isInDay={day !== ""} known={list.data?.items.some((row) => row.name === event.subject) ?? false} />)}
              </tbody>
            ))}
          </table>
        </Panel>
      ) : null}
      {items.length >= limit && limit < MOST ? (
        <p className="audit-more"><Button onClick={() => setLimit(Math.min(MOST, limit * 5))}>Show older events</Button></p>
      ) : null}
    </Page>
  );
}
