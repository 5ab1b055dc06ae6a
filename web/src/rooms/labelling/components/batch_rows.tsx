import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { datasetChanged } from "@/api/cache";
import type { BatchAnswer } from "@/api/schema.gen";
import { Shares } from "@/kit/bars";
import { Button, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { BATCH_KEYS } from "../keys";

const TONE = { open: "good", paused: "warn", closed: "plain" } as const;

/** The batches with what each is about, how far it is, and what can be done with it. */
export function BatchRows({ dataset, items }: { dataset: string; items: readonly BatchAnswer[] }) {
  const client = useQueryClient();
  const step = useMutation({
    mutationFn: async ({ batch, does }: { batch: string; does: api.Step }) => {
      if (does === "pause" || does === "resume") return (await api[does](dataset, batch)).state === "open" ? `${batch} hands out work again` : `${batch} is paused`;
      const landed = does === "land" ? await api.land(dataset, batch) : (await api.close(dataset, batch)).landed;
      return landed.commit ? `${count(landed.samples)} images landed on ${landed.branch}` : `Nothing new was accepted in ${batch}`;
    },
    onSuccess: async (words) => {
      say(words);
      await datasetChanged(client, dataset);
    },
  });
  const first = items.find((one) => one.state !== "closed");
  const does = (what: api.Step) => () => void (first && step.mutate({ batch: first.name, does: what }));
  useCommands(BATCH_KEYS, { "batch.pause": does("pause"), "batch.resume": does("resume"), "batch.land": does("land"), "batch.close": does("close") });
  return (
    <Panel className="table wide" title="Batches">
      {step.error ? <ErrorState error={step.error} /> : null}
      <table className="rows">
        <thead><tr><th>Batch</th><th>State</th><th>Progress</th><th className="num">To label</th><th className="num">To review</th><th className="num">Accepted</th><th className="num batch-optional">Seconds an image</th><th className="batch-optional">People</th><th>Steps</th></tr></thead>
        <tbody>{items.map((one) => <Row key={one.id} one={one} dataset={dataset} onStep={(what) => step.mutate({ batch: one.name, does: what })} />)}</tbody>
      </table>
    </Panel>
  );
}

function Row({ one, dataset, onStep }: { one: BatchAnswer; dataset: string; onStep: (does: api.Step) => void }) {
  const { progress } = one;
  const shares = [
    { key: "accepted", name: "accepted", value: progress.accepted }, { key: "submitted", name: "to review", value: progress.submitted },
    { key: "waiting", name: "to label", value: progress.waiting }, { key: "skipped", name: "skipped", value: progress.skipped },
  ];
  const isOver = one.state === "closed";
  return (
    <tr>
      <td>
        <span className="batch-name">
          <strong>{one.name}</strong>
          <span className="dim cut">{one.where || "all images"}{one.overlap > 1 ? `, ${one.overlap} people each` : ""}{one.due ? `, due ${one.due.slice(0, 10)}` : ""}</span>
        </span>
      </td>
      <td><Pill tone={TONE[one.state]}>{one.state}</Pill></td>
      <td className="batch-progress"><Shares label={`Progress of ${one.name}`} items={shares} /><span className="dim">{count(progress.accepted)} of {count(progress.samples)}{progress.sent_back ? `, ${count(progress.sent_back)} sent back` : ""}</span></td>
      <td className="num">{count(progress.waiting)}</td>
      <td className="num">{count(progress.submitted)}</td>
      <td className="num">{count(progress.accepted)}</td>
      <td className="num batch-optional">{one.median_active_s === null ? "–" : Math.round(one.median_active_s)}</td>
      <td className="dim cut batch-optional">{one.people.join(", ") || "everyone who may"}</td>
      <td>
        <span className="batch-steps">
          {isOver || progress.landed ? <Link to="/d/$dataset/samples" params={{ dataset }} search={{ ref: one.branch }} className="link">{one.branch}</Link> : null}
          {isOver ? null : one.state === "paused" ? <Button className="small" command="batch.resume" onClick={() => onStep("resume")}>Resume</Button> : <Button className="small" command="batch.pause" onClick={() => onStep("pause")}>Pause</Button>}
          {isOver ? null : <Button className="small" command="batch.land" disabled={progress.accepted === progress.landed} onClick={() => onStep("land")}>Land</Button>}
          {isOver ? null : <Button className="small" command="batch.close" onClick={() => onStep("close")}>Close</Button>}
        </span>
      </td>
    </tr>
  );
}
