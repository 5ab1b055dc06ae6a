import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { datasetKey } from "@/api/cache";
import type { Thread } from "@/api/schema.gen";
import { Button, Pill, When } from "@/kit/basics";
import { count } from "@/kit/format";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";

/** Questions of annotators, the open ones first, each with a place for its answer. */
export function Questions({ dataset }: { dataset: string }) {
  const query = useQuery(api.questions(dataset));
  const items = query.data?.items ?? [];
  if (query.error || items.length === 0) return null;
  const open = items.filter((one) => one.state === "open").length;
  return (
    <Panel title="Questions" meta={open ? `${count(open)} open` : "all answered"}>
      {items.map((one) => <Question key={one.id} one={one} dataset={dataset} />)}
    </Panel>
  );
}

function Question({ one, dataset }: { one: Thread; dataset: string }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const answering = useMutation({
    mutationFn: () => api.answer(one.id, text),
    onSuccess: async () => {
      say(`Answered ${one.by}`);
      await client.invalidateQueries({ queryKey: datasetKey(dataset, "questions") });
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) answering.mutate();
  };
  return (
    <article className="question">
      {one.comments.map((comment) => (
        <p key={`${comment.at} ${comment.text}`}><strong>{comment.author}</strong> <span className="dim"><When at={comment.at} /></span><br />{comment.text}</p>
      ))}
      {one.class ? <span><Pill>{one.class}</Pill></span> : null}
      {one.state === "open" ? (
        <form onSubmit={send}>
          <input className="field" aria-label={`Answer to ${one.by}`} maxLength={10_000} value={text} onChange={(event) => setText(event.target.value)} />
          <Button type="submit" busy={answering.isPending} disabled={!text.trim()}>Answer</Button>
        </form>
      ) : null}
      {answering.error ? <ErrorState error={answering.error} /> : null}
    </article>
  );
}
