import { Link } from "@tanstack/react-router";
import type { GateCounts, SeverityCounts } from "@/api/schema.gen";
import { count, plural } from "@/kit/format";
import { GateSummary } from "@/kit/gates";

type Counts = Partial<SeverityCounts> | null | undefined;

/** Gates and open findings apart, side by side: green gates say nothing about the warnings that are open. */
export function Standing({ gates, open, dataset }: {
  gates: Partial<GateCounts> | null;
  open: Counts;
  /** Leads to its findings where it is given. */
  dataset?: string;
}) {
  const look = openTotal(open) ? "standing-open" : "dim";
  const words = dataset
    ? <Link to="/d/$dataset/findings" params={{ dataset }} search={{}} className={`${look} link-plain`}>{openWords(open)}</Link>
    : <span className={look} title={openWords(open)}>{openWords(open)}</span>;
  return <span className="standing"><GateSummary gates={gates} />{gates ? words : null}</span>;
}

const openTotal = (open: Counts): number => (open?.error ?? 0) + (open?.warning ?? 0) + (open?.info ?? 0);

/** "2 open errors, 271 open warnings, 64 open info", as the command line says it. */
export function openWords(open: Counts): string {
  const { error = 0, warning = 0, info = 0 } = open ?? {};
  const words = [
    error ? plural(error, "open error") : "", warning ? plural(warning, "open warning") : "", info ? `${count(info)} open info` : "",
  ].filter(Boolean);
  return words.length ? words.join(", ") : "no open findings";
}

/** Gates by state. */
export function countGates(gates: readonly { state: keyof GateCounts }[]): GateCounts {
  const counts: GateCounts = { green: 0, red: 0, missing: 0 };
  for (const gate of gates) counts[gate.state] += 1;
  return counts;
}
