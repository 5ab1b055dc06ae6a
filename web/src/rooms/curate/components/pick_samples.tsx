import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import type { SelectionReport } from "@/api/schema.gen";
import { Button } from "@/kit/basics";
import { plural } from "@/kit/format";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import * as api from "../api";
import { NEEDS_PREDICTIONS, STRATEGIES, strategyNames, type Strategy } from "./strategies";

const DEFAULT_COUNT = "50";

/** Picks samples by a strategy, shows each with its reason, and tags them on request. */
export function PickSamples({ dataset, branch, where }: { dataset: string; branch: string; where: string }) {
  const id = useId();
  const client = useQueryClient();
  const [count, setCount] = useState(DEFAULT_COUNT);
  const [by, setBy] = useState<Strategy>("auto");
  const [predictions, setPredictions] = useState("");
  const [name, setName] = useState("");
  const n = Number(count);
  const spec = { n, by, where: where || null, predictions: predictions.trim() };
  const picking = useMutation({ mutationFn: () => api.pick(dataset, branch, spec) });
  const tagging = useMutation({
    mutationFn: () => api.tag(dataset, branch, { ...spec, name: name.trim() }),
    onSuccess: async (report) => {
      say(`${plural(report.tagged ?? 0, "sample")} tagged picked:${name.trim()}`);
      await datasetChanged(client, dataset);
    },
  });
  const isReady = Number.isInteger(n) && n > 0;
  return (
    <section className="picks" aria-label="Pick samples">
      <h2>Pick samples</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) picking.mutate();
        }}
      >
        <label htmlFor={`${id}-n`}>Number</label>
        <input id={`${id}-n`} className="field" type="number" min={1} max={1_000_000} value={count} onChange={(event) => setCount(event.target.value)} />
        <label htmlFor={`${id}-by`}>Strategy</label>
        <select
          id={`${id}-by`} className="field" value={by} aria-describedby={`${id}-about`}
          onChange={(event) => setBy(strategyNames.find((one) => one === event.target.value) ?? "auto")}
        >
          {strategyNames.map((one) => <option key={one}>{one}</option>)}
        </select>
        <p id={`${id}-about`} className="dim">{STRATEGIES[by]}</p>
        {NEEDS_PREDICTIONS.includes(by) || by === "auto" ? (
          <>
            <label htmlFor={`${id}-from`}>Predictions</label>
            <input
              id={`${id}-from`} className="field" value={predictions} placeholder="model:a" autoComplete="off" spellCheck={false}
              onChange={(event) => setPredictions(event.target.value)}
            />
          </>
        ) : null}
        <Button look="first" type="submit" busy={picking.isPending} disabled={!isReady}>Pick</Button>
      </form>
      <Failure error={picking.error ?? tagging.error} />
      {picking.data && !picking.isPending ? <Picked dataset={dataset} report={picking.data} /> : null}
      {picking.data?.picks.length ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) tagging.mutate();
          }}
        >
          <label htmlFor={`${id}-name`}>Tag as</label>
          <input
            id={`${id}-name`} className="field" value={name} maxLength={64} placeholder="next-batch" autoComplete="off" spellCheck={false}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" busy={tagging.isPending} disabled={!name.trim()}>Tag</Button>
        </form>
      ) : null}
    </section>
  );
}

/** The picks in order, and what is worth knowing about them. */
function Picked({ dataset, report }: { dataset: string; report: SelectionReport }) {
  return (
    <>
      <p role="status">{plural(report.picks.length, "sample")} picked by {report.by}{report.embedder ? ` on ${report.embedder}` : ""}</p>
      {report.notes.map((note) => <p key={note} className="dim"><Words>{note}</Words></p>)}
      <ol className="picks-list" aria-label="Picked samples">
        {report.picks.slice(0, 100).map((pick) => (
          <li key={pick.sample_id}>
            <Link className="link cut" to="/d/$dataset/samples/$sample" params={{ dataset, sample: pick.sample_id }} search={{}}>{pick.name}</Link>
            <span className="dim">{pick.reason}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Failure({ error }: { error: Error | null }) {
  if (!error) return null;
  const fix = error instanceof Problem ? error.fix : "";
  return <p role="alert" className="said"><Words>{error.message}</Words>{fix ? <><br /><Words>{fix}</Words></> : null}</p>;
}
