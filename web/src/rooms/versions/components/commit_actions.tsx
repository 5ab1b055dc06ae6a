import { IconArrowBackUp, IconCheck, IconTag } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import type { LoggedCommit } from "@/api/schema.gen";
import { Button, IconButton } from "@/kit/basics";
import { onBranch } from "@/kit/branch";
import { Dialog } from "@/kit/dialog";
import { short } from "@/kit/format";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import * as api from "../api";

export type Act = { what: "tag" | "approve" | "rollback"; commit: string };

/** Actions on a commit: tag it, approve it, or restore its contents as a new commit. */
export function CommitActions({ commit, canRollBack, onAct }: { commit: LoggedCommit; canRollBack: boolean; onAct: (act: Act) => void }) {
  return (
    <>
      <IconButton className="small" label={`Tag ${short(commit.id)}`} command="history.tag" onClick={() => onAct({ what: "tag", commit: commit.id })}><IconTag size={14} /></IconButton>
      <IconButton className="small" label={`Approve ${short(commit.id)}`} command="history.approve" onClick={() => onAct({ what: "approve", commit: commit.id })}><IconCheck size={14} /></IconButton>
      <IconButton
        className="small" label={`Roll back to ${short(commit.id)}`} disabled={!canRollBack} command="history.rollback"
        onClick={() => onAct({ what: "rollback", commit: commit.id })}
      >
        <IconArrowBackUp size={14} />
      </IconButton>
    </>
  );
}

type DialogProps = { dataset: string; branch: string; act: Act | null; commit: LoggedCommit | undefined; dirty: boolean; onDone: () => void };

/** Asks for what an action on a commit needs. */
export function CommitDialogs({ dataset, branch, act, commit, dirty, onDone }: DialogProps) {
  const what = commit && act?.what;
  return (
    <>
      <Dialog open={what === "tag"} onClose={onDone} label="Tag a commit">
        {commit ? <TagForm dataset={dataset} commit={commit} onDone={onDone} /> : null}
      </Dialog>
      <Dialog open={what === "approve"} onClose={onDone} label="Approve a commit">
        {commit ? <ApproveForm dataset={dataset} commit={commit} onDone={onDone} /> : null}
      </Dialog>
      <Dialog open={what === "rollback"} onClose={onDone} label="Roll back">
        {commit ? <RollbackForm dataset={dataset} commit={commit} branch={branch} dirty={dirty} onDone={onDone} /> : null}
      </Dialog>
    </>
  );
}

/** A change of the dataset that is announced, closes the dialog and reloads what is shown. */
function useChange(dataset: string, change: () => Promise<unknown>, announcement: string, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      say(announcement);
      onDone();
      await datasetChanged(client, dataset);
    },
  });
}

function TagForm({ dataset, commit, onDone }: { dataset: string; commit: LoggedCommit; onDone: () => void }) {
  const id = useId();
  const [name, setName] = useState("");
  const tagging = useChange(dataset, () => api.tag(dataset, name.trim(), commit.id), `Tagged ${name.trim()}`, onDone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) tagging.mutate();
  };
  return (
    <form className="act" onSubmit={submit}>
      <h2>Tag {short(commit.id)}</h2>
      <p className="dim">A tag is a permanent name for this commit: {commit.message || "(no message)"}</p>
      <label htmlFor={id}>Name</label>
      <input id={id} className="field" value={name} autoFocus onChange={(event) => setName(event.target.value)} />
      <Failure error={tagging.error} />
      <footer>
        <Button onClick={onDone}>Cancel</Button>
        <Button look="first" type="submit" busy={tagging.isPending} disabled={!name.trim()}>Tag</Button>
      </footer>
    </form>
  );
}

function ApproveForm({ dataset, commit, onDone }: { dataset: string; commit: LoggedCommit; onDone: () => void }) {
  const id = useId();
  const [reason, setReason] = useState("");
  const before = useQuery(api.approvals(dataset, commit.id));
  const approving = useChange(dataset, () => api.approve(dataset, commit.id, reason.trim()), `Approved ${short(commit.id)}`, onDone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    approving.mutate();
  };
  return (
    <form className="act" onSubmit={submit}>
      <h2>Approve {short(commit.id)}</h2>
      <p>
        {commit.author} committed: {commit.message || "(no message)"}. Branches that ask for a second person take it when
        somebody who made none of its commits has approved it.
      </p>
      {before.data?.items.length ? <p className="dim">Approved by {before.data.items.map((one) => one.by).join(", ")}</p> : null}
      <label htmlFor={id}>What you looked at (optional)</label>
      <input id={id} className="field" value={reason} maxLength={500} autoFocus onChange={(event) => setReason(event.target.value)} />
      <Failure error={approving.error} />
      <footer>
        <Button onClick={onDone}>Cancel</Button>
        <Button look="first" type="submit" busy={approving.isPending}>Approve</Button>
      </footer>
    </form>
  );
}

function RollbackForm({ dataset, commit, branch, dirty, onDone }: { dataset: string; commit: LoggedCommit; branch: string; dirty: boolean; onDone: () => void }) {
  const [discard, setDiscard] = useState(false);
  const restoring = useChange(dataset, () => api.rollback(dataset, commit.id, discard, branch), `Rolled back to ${short(commit.id)}${onBranch(branch)}`, onDone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    restoring.mutate();
  };
  return (
    <form className="act" onSubmit={submit}>
      <h2>Roll back{onBranch(branch)} to {short(commit.id)}</h2>
      <p>
        Restores the contents of this commit as a new commit: {commit.message || "(no message)"}. No history is lost; you
        can undo it the same way.
      </p>
      {dirty ? (
        <label className="act-check">
          <input type="checkbox" checked={discard} onChange={(event) => setDiscard(event.target.checked)} />
          Discard the uncommitted changes permanently
        </label>
      ) : null}
      <Failure error={restoring.error} />
      <footer>
        <Button onClick={onDone}>Cancel</Button>
        <Button look="first" type="submit" busy={restoring.isPending} disabled={dirty && !discard}>Roll back</Button>
      </footer>
    </form>
  );
}

function Failure({ error }: { error: Error | null }) {
  if (!error) return null;
  const fix = error instanceof Problem ? error.fix : "";
  return <p role="alert" className="said"><Words>{error.message}</Words>{fix ? <><br /><Words>{fix}</Words></> : null}</p>;
}
