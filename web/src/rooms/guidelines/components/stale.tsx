import { useQuery } from "@tanstack/react-query";
import { CommandLine } from "@/kit/basics";
import { plural } from "@/kit/format";
import { ErrorState, Panel } from "@/kit/page";
import * as api from "../api";

const BASIS: Record<string, string> = { measured: "from measured times", default: "from default times", both: "from measured and default times" };

/** How many labels were made before a change that touches them, by class. */
export function StaleLabels({ dataset, state }: { dataset: string; state: string }) {
  const { data, error } = useQuery(api.stale(dataset, state));
  if (error) return <ErrorState error={error} />;
  if (!data) return null;
  return (
    <Panel title="Stale labels" meta={data.labels ? `${hours(data.hours)} ${BASIS[data.basis] ?? ""}` : undefined} className={data.labels ? "table" : ""}>
      {data.labels ? (
        <>
          <table className="rows">
            <thead><tr><th>Class</th><th className="num">Labels</th><th className="num">Samples</th><th className="num">Time</th></tr></thead>
            <tbody>
              {Object.entries(data.by_class).map(([name, one]) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td className="num">{one.labels.toLocaleString("en")}</td>
                  <td className="num">{one.samples.toLocaleString("en")}</td>
                  <td className="num">{hours(one.hours)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <div className="guide-stale-next"><p>{plural(data.labels, "label")} on {plural(data.samples, "sample")}. List the samples, for a batch:</p><CommandLine>{`calotype guideline stale ${dataset} --samples`}</CommandLine></div>
        </>
      ) : <p className="muted">No labels are stale: each was made under the newest version that touches it.</p>}
    </Panel>
  );
}

/** 0.4 hours -> 24 min, 12.34 -> 12.3 h. */
export const hours = (value: number): string => (value < 1 ? `${Math.max(1, Math.round(value * 60))} min` : `${value.toFixed(1)} h`);
