import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { PAGE } from "@/api/cache";
import type { CheckResults, FoundSeverities, ListedFinding } from "@/api/schema.gen";
import { Button, Segmented, Skeleton } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, plural } from "@/kit/format";
import { EmptyState, ErrorState } from "@/kit/page";
import { VirtualRows } from "@/kit/virtual";
import * as api from "./api";
import { FindingRow } from "./components/finding_row";
import { Triage } from "./components/triage";
import { LIST_KEYS } from "./keys";
import "./panel.css";

const SEVERITIES: api.Severity[] = ["error", "warning", "info"];

type Props = {
  dataset: string;
  refName: string;
  report: CheckResults;
  check: string;
  severity: api.Severity | "";
  onSeverity: (severity: api.Severity | "") => void;
  onCheck: (check: string | undefined) => void;
};

/** The findings of a run, worst first; a row opens the sample at the annotation. */
export function Findings({ dataset, refName, report, check, severity, onSeverity, onCheck }: Props) {
  const run = report.run?.id ?? "";
  const [range, setRange] = useState<[number, number]>([0, 0]);
  const [selected, setSelected] = useState<Record<string, ListedFinding>>({});
  const toggle = (finding: ListedFinding) =>
    setSelected((before) => {
      const { [finding.key]: held, ...rest } = before;
      return held ? rest : { ...before, [finding.key]: finding };
    });
  const selectShown = () => setSelected(Object.fromEntries([...items.values()].map((one) => [one.key, one])));
  const first = Math.floor(range[0] / PAGE);
  const last = Math.floor(range[1] / PAGE);
  const pages = useQueries({
    queries: Array.from({ length: Math.min(6, last - first + 1) }, (_, n) => api.findings(dataset, run, check, severity, first + n)),
  });
  const known = pages.find((page) => page.data)?.data;
  const error = pages.find((page) => page.error)?.error;
  const total = known?.total ?? 0;
  const items = new Map<number, ListedFinding>();
  for (const { data, isPlaceholderData } of pages) {
    if (!isPlaceholderData) data?.items.forEach((item, n) => items.set(data.offset + n, item));
  }
  const walk = (by: number) => {
    const rows = [...document.querySelectorAll<HTMLElement>("a.finding-row")];
    rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useCommands(LIST_KEYS, { "findings.next": () => walk(1), "findings.previous": () => walk(-1), "findings.all": selectShown });
  const summary = report.checks.find((one) => one.name === check);
  const counts: FoundSeverities = summary?.counts ?? report.run?.counts ?? {};
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
      <Triage dataset={dataset} selected={Object.values(selected)} onDone={() => setSelected({})} />
      <div className="findings-body">
        {error ? <ErrorState error={error} /> : null}
        {known && total === 0 ? (
          <EmptyState title="No findings">
            <p>{check || severity ? "No findings match these filters." : "The last run found no problems."}</p>
          </EmptyState>
        ) : null}
        {total > 0 ? (
          <VirtualRows
            key={`${run} ${check} ${severity}`} total={total} height={67} label="Findings" onRange={(low, high) => setRange([low, high])}
            row={(index) => {
              const item = items.get(index);
              return item ? <FindingRow finding={item} dataset={dataset} refName={refName} list={{ run, check: check || undefined, severity: severity || undefined, at: index }} selected={item.key in selected} onToggle={() => toggle(item)} /> : <div className="finding-row"><Skeleton height={46} width={70} /></div>;
            }}
          />
        ) : null}
        {known && all > total && !severity ? <p className="dim findings-note">{plural(all - total, "more finding")} counted but not listed.</p> : null}
      </div>
    </section>
  );
}

const WORDS: Record<api.Severity, string> = { error: "Errors", warning: "Warnings", info: "Info" };
