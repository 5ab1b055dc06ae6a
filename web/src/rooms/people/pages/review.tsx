import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import type { ReviewRow } from "@/api/schema.gen";
import { Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { plural } from "@/kit/format";
import { EmptyState, ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { AccessFrame, useMay } from "../components/access_frame";
import { Field, Form } from "../components/form";
import { KINDS, ReviewRows } from "../components/review_rows";
import { REVIEW_KEYS } from "../keys";
import "../page.css";

type Kind = ReviewRow["kind"];
const isToken = (row: ReviewRow) => row.kind === "token-unused" || row.kind === "token-ending";

/** What is held and not used, ends soon, or hangs on one person: revoke it, or keep it with a reason. */
export function ReviewPage() {
  const { kept } = useSearch({ from: "/access/review" });
  const navigate = useNavigate({ from: "/access/review" });
  const client = useQueryClient();
  const server = useQuery(api.health());
  const query = useQuery({ ...api.review(kept === "yes"), enabled: server.data?.accounts === true });
  const mayChange = useMay("grant.manage");
  const [keeps, setKeeps] = useState<ReviewRow | null>(null);
  const revoking = useMutation({
    mutationFn: (row: ReviewRow): Promise<unknown> => (isToken(row) ? api.revokeToken(row.id) : api.revokeGrant(row.id)),
    onSuccess: (_, row) => (say(`Revoked ${row.role} of ${row.name}`), client.invalidateQueries({ queryKey: api.PEOPLE })),
  });
  const rows = query.data?.items ?? [];
  const fresh = rows.filter((row) => !row.kept);
  const first = fresh.find((row) => isToken(row) || row.kind === "grant-unused");
  useCommands(REVIEW_KEYS, { "review.revoke": () => first && revoking.mutate(first), "review.keep": () => fresh[0] && setKeeps(fresh[0]) });
  return (
    <AccessFrame
      title="Access review" meta={query.data ? plural(fresh.length, "row") + " to look at" : null}
      actions={(
        <label className="access-kept">
          <input type="checkbox" checked={kept === "yes"} onChange={(event) => void navigate({ search: { kept: event.target.checked ? "yes" : undefined } })} /> Show what was kept
        </label>
      )}
    >
      {query.isPending ? <Loading what="the access review" /> : null}
      {query.error ?? revoking.error ? <ErrorState error={query.error ?? revoking.error} onRetry={() => void query.refetch()} /> : null}
      {query.data && rows.length === 0 ? (
        <EmptyState title="Nothing to look at" icon={<IconCircleCheck size={28} stroke={1.5} />}>
          <p>Every grant and token was used within 90 days, everyone has a role, and there is more than one owner.</p>
        </EmptyState>
      ) : null}
      <div className="people-stack">
        {(Object.keys(KINDS) as Kind[]).filter((kind) => rows.some((row) => row.kind === kind)).map((kind) => (
          <ReviewRows key={kind} kind={kind} rows={rows.filter((row) => row.kind === kind)} mayChange={mayChange} onRevoke={revoking.mutate} onKeep={setKeeps} />
        ))}
      </div>
      <Dialog open={keeps !== null} onClose={() => setKeeps(null)} label="Keep">{keeps ? <KeepForm row={keeps} onDone={() => setKeeps(null)} /> : null}</Dialog>
    </AccessFrame>
  );
}

function KeepForm({ row, onDone }: { row: ReviewRow; onDone: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const keeping = useMutation({
    mutationFn: () => api.keepInReview({ kind: row.kind, id: row.id, reason }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: api.PEOPLE });
      say("Kept; it is back in the review in 90 days");
      onDone();
    },
  });
  return (
    <Form title={`Keep ${row.role ? `${row.role} of ${row.name}` : row.name}`} submit="Keep for 90 days" isReady={reason.trim() !== ""} isBusy={keeping.isPending} error={keeping.error} onSubmit={() => keeping.mutate()}>
      <Field label="Reason" hint="The audit trail keeps it with your name">{(id) => <input id={id} className="field" value={reason} autoFocus maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
    </Form>
  );
}
