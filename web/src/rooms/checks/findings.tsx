import { IconDatabase } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { thumbUrl } from "@/api/client";
import * as queries from "@/api/queries";
import type { Checks, Finding, Severity } from "@/api/types";
import { useCommands } from "@/app/commands";
import { Button, Segmented, Skeleton } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { EmptyState, ErrorState, sentence } from "@/kit/page";
import { SeverityPill } from "@/kit/severity";
import { VirtualRows } from "@/kit/virtual";
import { Triage } from "@/rooms/checks/triage";

const SEVERITIES: Severity[] = ["error", "warning", "info"];

type Props = {
  dataset: string;
  refName: string;
  report: Checks;
  check: string;
  severity: string;
  onSeverity: (severity: string) => void;
  onCheck: (check: string | undefined) => void;
};

/** Everything that was found, worst first; a row opens the sample at the annotation. */
export function Findings({ dataset, refName, report, check, severity, onSeverity, onCheck }: Props) {
  const run = report.run?.id ?? "";
  const [range, setRange] = useState<[number, number]>([0, 0]);
  const [chosen, setChosen] = useState<Record<string, Finding>>({});
  const toggle = (finding: Finding) =>
    setChosen((before) => {
      const { [finding.key]: held, ...rest } = before;
      return held ? rest : { ...before, [finding.key]: finding };
    });
  const chooseShown = () => setChosen(Object.fromEntries([...items.values()].map((one) => [one.key, one])));
  const first = Math.floor(range[0] / queries.PAGE);
  const last = Math.floor(range[1] / queries.PAGE);
  const pages = useQueries({
    queries: Array.from({ length: Math.min(6, last - first + 1) }, (_, n) => queries.findings(dataset, run, check, severity, first + n)),
  });
  const known = pages.find((page) => page.data)?.data;
  const error = pages.find((page) => page.error)?.error;
  const total = known?.total ?? 0;
  const items = new Map<number, Finding>();
  for (const { data, isPlaceholderData } of pages) {
    if (!isPlaceholderData) data?.items.forEach((item, n) => items.set(data.offset + n, item));
  }
  const walk = (by: number) => {
    const rows = [...document.querySelectorAll<HTMLElement>("a.finding-row")];
    rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useCommands([
    { id: "findings.next", title: "Next finding", group: "Page", keys: ["j"], quiet: true, run: () => walk(1) },
    { id: "findings.all", title: "Choose the findings in sight", group: "Page", keys: ["a"], run: chooseShown },
    { id: "findings.previous", title: "Previous finding", group: "Page", keys: ["k"], quiet: true, run: () => walk(-1) },
  ]);
  const summary = report.checks.find((one) => one.name === check);
  const counts = summary?.counts ?? report.run?.counts ?? {};
  const all = SEVERITIES.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  return (
    <section className="findings" aria-label="Findings">
      <header>
        <h2>{summary ? summary.title : "Findings"}</h2>
        {summary ? <Button look="quiet" onClick={() => onCheck(undefined)}>All checks</Button> : null}
        <Segmented
          label="Severity" value={severity} onChange={onSeverity}
          options={[
            { value: "", label: <>All {count(all)}</> },
            ...SEVERITIES.map((one) => ({ value: one, label: <>{WORDS[one]} {count(counts[one] ?? 0)}</> })),
          ]}
        />
      </header>
      <Triage dataset={dataset} chosen={Object.values(chosen)} onDone={() => setChosen({})} />
      <div className="findings-body">
        {error ? <ErrorState error={error} /> : null}
        {known && total === 0 ? (
          <EmptyState title="Nothing found">
            <p>{check || severity ? "Nothing of this kind in the last run." : "Every check looked and found nothing."}</p>
          </EmptyState>
        ) : null}
        {total > 0 ? (
          <VirtualRows
            key={`${run} ${check} ${severity}`} total={total} height={67} label="Findings" onRange={(low, high) => setRange([low, high])}
            row={(index) => {
              const item = items.get(index);
              return item ? <Row finding={item} dataset={dataset} refName={refName} chosen={item.key in chosen} onToggle={() => toggle(item)} /> : <div className="finding-row"><Skeleton height={46} width={70} /></div>;
            }}
          />
        ) : null}
        {known && all > total && !severity ? <p className="dim findings-note">{plural(all - total, "finding")} counted and not listed.</p> : null}
      </div>
    </section>
  );
}

const WORDS: Record<Severity, string> = { error: "Errors", warning: "Warnings", info: "Notes" };

type RowProps = { finding: Finding; dataset: string; refName: string; chosen: boolean; onToggle: () => void };

function Row({ finding, dataset, refName, chosen, onToggle }: RowProps) {
  const { sample } = finding;
  const inner = (
    <>
      {sample ? <img src={thumbUrl(sample.media, 128)} alt="" className="thumb" width={70} height={46} loading="lazy" /> : <span className="thumb no-thumb"><IconDatabase size={18} stroke={1.5} /></span>}
      <span className="finding-text">
        <span className="finding-head">
          <SeverityPill severity={finding.severity} />
          <strong>{finding.check}</strong>
          {finding.state && finding.state !== "open" ? <span className="pill finding-state" title={finding.note ?? undefined}>{finding.state}{finding.assignee ? ` · ${finding.assignee}` : ""}</span> : null}
          <span className="cut dim">{sample?.name ?? finding.sample_name ?? "the dataset as a whole"}</span>
          {!sample && finding.sample_name ? <span className="dim">(not in the dataset any more)</span> : null}
        </span>
        <span className="finding-reason" title={finding.reason}>{sentence(finding.reason)}</span>
      </span>
    </>
  );
  const tick = <input type="checkbox" className="finding-tick" checked={chosen} onChange={onToggle} aria-label={`Choose ${finding.check} of ${finding.sample_name ?? "the dataset"}`} />;
  if (!sample) return <div className="triage-row">{tick}<div className="finding-row">{inner}</div></div>;
  return (
    <div className="triage-row">
    {tick}
    <Link
      className="finding-row" to="/d/$dataset/samples/$sample" params={{ dataset, sample: sample.id }}
      search={{ ref: refName || undefined, from: "checks", ann: finding.annotation ?? undefined, labels: finding.label_set ?? undefined }}
    >
      {inner}
    </Link>
    </div>
  );
}
