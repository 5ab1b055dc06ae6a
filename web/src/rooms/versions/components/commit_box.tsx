import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import type { ChangeCounts, Changes } from "@/api/schema.gen";
import { Button } from "@/kit/basics";
import { onBranch, workingState } from "@/kit/branch";
import { keysOf, useCommands } from "@/kit/commands";
import { Delta } from "@/kit/counts";
import { short } from "@/kit/format";
import { sentence } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { COMMIT_KEYS } from "../keys";

/** The uncommitted changes, and the form to commit them. */
export function CommitBox({ dataset, branch, changes, head }: { dataset: string; branch: string; changes: Changes | null; head: string | undefined }) {
  const client = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const [message, setMessage] = useState("");
  const committing = useMutation({
    mutationFn: () => api.commit(dataset, message.trim(), branch),
    onSuccess: async (created) => {
      say(`Committed as ${short(created.id)}${onBranch(branch)}`);
      setMessage("");
      await datasetChanged(client, dataset);
    },
  });
  useCommands(COMMIT_KEYS, { "history.commit": () => field.current?.focus() });
  const problem = committing.error instanceof Problem ? committing.error : null;
  return (
    <section className="uncommitted" aria-label="Uncommitted changes">
      <div className="uncommitted-head">
        <i className="dirty" />
        <h2>Uncommitted changes{onBranch(branch)}</h2>
        {changes ? (
          <span className="uncommitted-counts">
            {some(changes.samples) ? <Delta counts={changes.samples} of="samples" /> : null}
            {some(changes.annotations) ? <Delta counts={changes.annotations} of="annotations" /> : null}
          </span>
        ) : null}
        {changes && head && !some(changes.samples) && !some(changes.annotations) ? <span className="dim">only classes, fields or the contract changed</span> : null}
        {head ? (
          <Link to="/d/$dataset/diff" params={{ dataset }} search={{ a: head.slice(0, 12), b: workingState(branch) || undefined }} className="link uncommitted-link">View changes</Link>
        ) : <span className="dim">no commits yet</span>}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (message.trim()) committing.mutate();
        }}
      >
        <input
          ref={field} className="field" placeholder="Describe what changed and why" aria-label="Commit message" value={message}
          onChange={(event) => setMessage(event.target.value)}
          {...keysOf({ Escape: () => field.current?.blur() })}
        />
        <Button look="first" type="submit" busy={committing.isPending} disabled={!message.trim()}>
          {committing.isPending ? "Committing…" : "Commit"}
        </Button>
      </form>
      {committing.error ? (
        <p role="alert" className="said">{sentence(problem?.detail ?? committing.error.message)}{problem?.fix ? `. ${sentence(problem.fix)}` : ""}</p>
      ) : null}
    </section>
  );
}

const some = (counts: ChangeCounts) => counts.added + counts.removed + counts.changed > 0;
