import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Skeleton, When } from "@/kit/basics";
import { GatePill } from "@/kit/gates";
import { countGates, Standing } from "@/kit/standing";
import * as api from "./api";
import "./panel.css";

/** The gates of the latest run, those that block first. */
export function LatestRun({ dataset, refName }: { dataset: string; refName: string }) {
  const query = useQuery(api.checks(dataset, refName));
  if (query.isPending) return <Skeleton height={60} />;
  if (query.error) return <span className="dim">could not load: {query.error.message}</span>;
  const { run, stale, gates } = query.data;
  const link = { to: "/d/$dataset/checks", params: { dataset } } as const;
  if (!run) {
    return <span className="dim">Not checked yet. <Link {...link} className="link">Run the checks</Link></span>;
  }
  const sorted = [...gates].sort((a, b) => Number(a.state === "green") - Number(b.state === "green"));
  return (
    <>
      <Standing gates={countGates(gates)} open={run.open} dataset={dataset} />
      <ul className="gate-lines">
        {sorted.slice(0, 8).map((gate) => (
          <li key={gate.name}>
            <GatePill state={gate.state} />
            <span className="cut" title={gate.detail}>{gate.name}</span>
          </li>
        ))}
      </ul>
      <Link {...link} className="link more">
        {sorted.length > 8 ? `${sorted.length - 8} more; ` : ""}
        {stale ? "outdated, checked" : "checked"} <When at={run.at} />
      </Link>
    </>
  );
}

/** Gates and open findings of the latest run, in a line; nothing before the first run. */
export function RunStanding({ dataset, refName }: { dataset: string; refName: string }) {
  const { data } = useQuery(api.checks(dataset, refName));
  if (!data?.run) return null;
  return <Standing gates={countGates(data.gates)} open={data.run.open} />;
}
