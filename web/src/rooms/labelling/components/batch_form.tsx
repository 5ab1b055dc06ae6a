import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { datasetKey } from "@/api/cache";
import { Button } from "@/kit/basics";
import { ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";

const listed = (text: string): string[] => text.split(",").map((one) => one.trim()).filter(Boolean);

/** Opens a batch over the newest commit of main. */
export function BatchForm({ dataset, onDone }: { dataset: string; onDone: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [where, setWhere] = useState("");
  const [to, setTo] = useState("");
  const [reviewers, setReviewers] = useState("");
  const [overlap, setOverlap] = useState(1);
  const [percent, setPercent] = useState(10);
  const [due, setDue] = useState("");
  const [prelabels, setPrelabels] = useState("");
  const opening = useMutation({
    mutationFn: () => api.open(dataset, { name: name.trim(), where, to: listed(to), reviewers: listed(reviewers), overlap, review: percent / 100, due, prelabels: prelabels.trim() }),
    onSuccess: async (batch) => {
      await client.invalidateQueries({ queryKey: datasetKey(dataset, "batches") });
      say(`Opened ${batch.name} with ${batch.progress.samples} images${batch.notices.length ? `; ${batch.notices.join("; ")}` : ""}`);
      onDone();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() && !opening.isPending) opening.mutate();
  };
  return (
    <form className="batch-form" onSubmit={send}>
      <h2>Open a batch</h2>
      <label>Name<input className="field" required maxLength={80} value={name} placeholder="night-boxes" onChange={(event) => setName(event.target.value)} /></label>
      <label>Query for its images<input className="field mono" maxLength={10_000} value={where} placeholder={'light = "night" (empty: all)'} spellCheck={false} onChange={(event) => setWhere(event.target.value)} /></label>
      <div className="pair">
        <label>Who labels<input className="field" value={to} placeholder="bo@example.org, team:night (empty: all)" onChange={(event) => setTo(event.target.value)} /></label>
        <label>Who reviews<input className="field" value={reviewers} placeholder="rae@example.org (empty: all)" onChange={(event) => setReviewers(event.target.value)} /></label>
      </div>
      <div className="pair">
        <label>People for each image<input className="field" type="number" min={1} max={10} value={overlap} onChange={(event) => setOverlap(Number(event.target.value))} /></label>
        <label>Reviewed, percent<input className="field" type="number" min={0} max={100} value={percent} onChange={(event) => setPercent(Number(event.target.value))} /></label>
      </div>
      <div className="pair">
        <label>Due<input className="field" type="date" value={due} onChange={(event) => setDue(event.target.value)} /></label>
        <label>Prelabels<input className="field" value={prelabels} placeholder="a label set, such as model:yolo" onChange={(event) => setPrelabels(event.target.value)} /></label>
      </div>
      {opening.error ? <ErrorState error={opening.error} /> : null}
      <Button look="first" type="submit" busy={opening.isPending} disabled={!name.trim()}>Open the batch</Button>
    </form>
  );
}
