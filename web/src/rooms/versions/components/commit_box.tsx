import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import type { Changes, Counts } from "@/api/types";
import { Button } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { ChangeCounts } from "@/kit/counts";
import { short } from "@/kit/format";
import { sentence } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { COMMIT_KEYS } from "../keys";

/** What is not committed yet, and the box to commit it. */
export function CommitBox({ dataset, changes, head }: { dataset: string; changes: Changes | null; head: string | undefined }) {
  const client = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const [message, setMessage] = useState("");
  const making = useMutation({
    mutationFn: () => api.commit(dataset, message.trim()),
    onSuccess: async (made) => {
      say(`Committed as ${short(made.id)}`);
      setMessage("");
      await datasetChanged(client, dataset);
    },
  });
  useCommands(COMMIT_KEYS, { "history.commit": () => field.current?.focus() });
  const problem = making.error instanceof Problem ? making.error : null;
  return (
    <section className="uncommitted" aria-label="Uncommitted changes">
      <div className="uncommitted-head">
        <i className="dirty" />
        <h2>Uncommitted changes</h2>
        {changes ? (
          <span className="uncommitted-counts">
            {some(changes.samples) ? <ChangeCounts counts={changes.samples} of="samples" /> : null}
            {some(changes.annotations) ? <ChangeCounts counts={changes.annotations} of="annotations" /> : null}
          </span>
        ) : null}
        {changes && head && !some(changes.samples) && !some(changes.annotations) ? <span className="dim">classes, fields or the contract differ</span> : null}
        {head ? (
          <Link to="/d/$dataset/diff" params={{ dataset }} search={{ a: head.slice(0, 12) }} className="link uncommitted-link">What changed</Link>
        ) : <span className="dim">nothing committed yet</span>}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (message.trim()) making.mutate();
        }}
      >
        <input
          ref={field} className="field" placeholder="What changed, and why" aria-label="Commit message" value={message}
          onChange={(event) => setMessage(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && field.current?.blur()}
        />
        <Button look="first" type="submit" busy={making.isPending} disabled={!message.trim()}>
          {making.isPending ? "Committing…" : "Commit"}
        </Button>
      </form>
      {making.error ? (
        <p role="alert" className="said">{sentence(problem?.detail ?? making.error.message)}{problem?.fix ? `. ${sentence(problem.fix)}` : ""}</p>
      ) : null}
    </section>
  );
}

const some = (counts: Counts) => counts.added + counts.removed + counts.changed > 0;
