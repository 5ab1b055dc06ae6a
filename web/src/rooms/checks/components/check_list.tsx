import type { CheckSummary } from "@/api/schema.gen";
import { Button, Pill } from "@/kit/basics";
import { count, duration, plural } from "@/kit/format";
import { Panel, sentence } from "@/kit/page";

/** Every check with its findings; one can be selected. */
export function CheckList({ checks, chosen, onChoose, onFindings }: {
  checks: CheckSummary[];
  chosen: string | undefined;
  onChoose: (check: string | undefined) => void;
  onFindings: (check: string) => void;
}) {
  const sorted = [...checks].sort((a, b) => Number(b.findings > 0) - Number(a.findings > 0));
  return (
    <Panel title="Checks" meta={plural(checks.filter((check) => check.enabled).length, "check")}>
      <ul className="check-list">
        {sorted.map((check) => (
          <li key={check.name}>
            <button type="button" aria-expanded={check.name === chosen} onClick={() => onChoose(check.name === chosen ? undefined : check.name)}>
              <span className="check-title cut">{check.name}</span>
              <span className="check-means cut dim">{check.means}</span>
              {check.enabled ? <Counts check={check} /> : <span className="dim">off</span>}
            </button>
            {check.name === chosen ? <About check={check} onFindings={onFindings} /> : null}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function About({ check, onFindings }: { check: CheckSummary; onFindings: (check: string) => void }) {
  return (
    <div className="check-about">
      <p><strong>{check.title}.</strong> {check.means}</p>
      {check.findings ? <p><span className="dim">Fix</span> {sentence(check.fix)}</p> : null}
      <p className="dim">
        {count(check.looked_at)} {check.unit} in {duration(check.took_ms / 1000)}
        {Object.entries(check.parameters).map(([name, value]) => `; ${name} ${String(value)}`)}
      </p>
      {check.findings ? <p><Button onClick={() => onFindings(check.name)}>Work through {plural(check.findings, "finding")}</Button></p> : null}
    </div>
  );
}

function Counts({ check }: { check: CheckSummary }) {
  const { error = 0, warning = 0, info = 0 } = check.counts;
  if (check.findings === 0) return <span className="dim">none</span>;
  return (
    <span className="check-counts">
      {error ? <Pill tone="bad">{count(error)}<span className="hidden-label"> errors</span></Pill> : null}
      {warning ? <Pill tone="warn">{count(warning)}<span className="hidden-label"> warnings</span></Pill> : null}
      {info ? <Pill>{count(info)}<span className="hidden-label"> info</span></Pill> : null}
    </span>
  );
}
