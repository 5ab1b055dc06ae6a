import { IconRoute } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { Problem } from "@/api/client";
import { CommandLine, Loading, When } from "@/kit/basics";
import { duration, plural, short } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import { RunState } from "../components/run_state";
import "./runs.css";

/** Runs of pipelines, newest first. */
export function RunsPage() {
  const { dataset } = useSearch({ from: "/runs" });
  const query = useQuery({
    ...api.runs(dataset ?? ""),
    refetchInterval: ({ state }) => api.pollMs(state.data?.items.some((run) => run.state === "running") ?? false),
  });
  // A server without pipelines has no such route, and no runs either.
  const none = query.error instanceof Problem && query.error.status === 404;
  const items = query.data?.items ?? [];
  return (
    <Page
      title="Runs" meta={query.data ? plural(items.length, "run") : null}
      actions={<><CopyAs panel="runs" shown={{ dataset }} />{dataset ? <Link to="/runs" search={{}} className="button plain">Show all datasets</Link> : null}</>}
    >
      {query.isPending ? <Loading what="the runs" /> : null}
      {query.error && !none ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {none || (query.data && items.length === 0) ? (
        <EmptyState title={dataset ? `No pipeline has run on ${dataset}` : "No pipeline has run yet"} icon={<IconRoute size={26} stroke={1.5} />}>
          <p>
            A pipeline is a file that lists the stages from raw images to a release. Running it again repeats only the
            stages whose inputs have changed:
          </p>
          <CommandLine>calotype run pipeline.yaml</CommandLine>
        </EmptyState>
      ) : null}
      {items.length ? (
        <Panel className="table wide">
          <table className="rows">
            <thead><tr><th>Pipeline</th><th>State</th><th>Dataset</th><th>Started</th><th className="num">Duration</th><th>By</th><th>ID</th></tr></thead>
            <tbody>
              {items.map((run) => (
                <tr key={run.id} className="goes">
                  <td><Link to="/runs/$run" params={{ run: run.id }} className="run-link">{run.pipeline}</Link></td>
                  <td><RunState state={run.state} /></td>
                  <td>{run.dataset ? <Link to="/d/$dataset" params={{ dataset: run.dataset }} className="link-plain">{run.dataset}</Link> : null}</td>
                  <td><When at={run.at} /></td>
                  <td className="num">{run.duration_s === null ? "" : duration(run.duration_s)}</td>
                  <td className="dim">{run.actor}</td>
                  <td className="mono dim">{short(run.id)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
      ) : null}
    </Page>
  );
}
