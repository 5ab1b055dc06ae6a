import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Run, RunError, StageRun } from "@/api/schema.gen";
import { Loading, When } from "@/kit/basics";
import { duration, shown } from "@/kit/format";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel, sentence } from "@/kit/page";
import * as api from "../api";
import { RunState } from "../components/run_state";
import "./runs.css";

/** One run of a pipeline, stage by stage. */
export function RunPage() {
  const { run: id } = useParams({ from: "/runs/$run" });
  const asked = api.run(id);
  const query = useQuery({ ...asked, refetchInterval: ({ state }) => api.pollMs(state.data?.state === "running") });
  const run = query.data;
  return (
    <Page
      title={run ? run.pipeline : "Run"}
      crumbs={<><Link to="/runs" className="crumb">Runs</Link><span className="slash" aria-hidden="true">/</span></>}
      meta={
        run ? (
          <>
            <RunState state={run.state} />
            {run.dataset ? <Link to="/d/$dataset" params={{ dataset: run.dataset }} className="link">{run.dataset}</Link> : null}
            <span><When at={run.at} /> by {run.actor}</span>
            {run.duration_s === null ? null : <span>{duration(run.duration_s)}</span>}
          </>
        ) : null
      }
    >
      {query.isPending ? <Loading what="the run" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {run ? <Stages run={run} /> : null}
    </Page>
  );
}

function Stages({ run }: { run: Run }) {
  if (run.stages.length === 0) return <EmptyState title="This run has no stages" />;
  const longest = Math.max(0.001, ...run.stages.map((stage) => stage.duration_s ?? 0));
  return (
    <>
      {run.error ? <div className="notice bad" role="alert">{words(run.error)}</div> : null}
      <Panel className="table wide">
        <ol className="stages">
          {run.stages.map((stage, at) => <StageRow key={`${at} ${stage.name}`} stage={stage} number={at + 1} longest={longest} />)}
        </ol>
      </Panel>
    </>
  );
}

function StageRow({ stage, number, longest }: { stage: StageRun; number: number; longest: number }) {
  const took = stage.duration_s;
  const name = stage.name.replace(/^\d+ /, ""); // the list numbers them
  return (
    <li className="stage-row" data-state={stage.state}>
      <span className="stage-number dim">{number}</span>
      <div className="stage-name">
        <strong>{name}</strong>
        {stage.kind !== name ? <span className="dim">{stage.kind}</span> : null}
        <RunState state={stage.state} />
      </div>
      <Facts title="Inputs" facts={stage.inputs} />
      <Facts title="Outputs" facts={stage.outputs} />
      <div className="stage-took">
        <span className="bar-track" aria-hidden="true"><i style={{ width: `${(100 * (took ?? 0)) / longest}%` }} /></span>
        <span className="num">{took === null ? "" : duration(took)}</span>
      </div>
    </li>
  );
}

function Facts({ title, facts }: { title: string; facts: StageRun["inputs"] }) {
  const rows = Object.entries(facts).filter(([, value]) => value !== null && value !== "");
  return (
    <dl className="stage-facts" aria-label={title}>
      {rows.length === 0 ? <span className="dim">{"\u2013"}</span> : null}
      {rows.map(([name, value]) => (
        <div key={name}><dt className="dim">{name}</dt><dd>{plain(value)}</dd></div>
      ))}
    </dl>
  );
}

const plain = (value: unknown): string => {
  const text = shown(value);
  return /^[0-9a-f]{40,}$/.test(text) ? text.slice(0, 8) : text;
};

/** What failed and how to fix it. */
function words({ what, fix }: RunError): string {
  return [what, fix ? `Fix: ${fix}` : ""].filter(Boolean).map(sentence).join(". ");
}
