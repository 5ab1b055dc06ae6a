import type { CheckSummary } from "@/api/schema.gen";
import { Pill } from "@/kit/basics";
import { count, duration, plural } from "@/kit/format";
import { Panel, sentence } from "@/kit/page";

/** Every check with its findings; one can be selected. */
export function CheckList({ checks, chosen, onChoose }: {
  checks: CheckSummary[];
  chosen: string | undefined;
  onChoose: (check: string | undefined) => void;
}) {
  const sorted = [...checks].sort((a, b) => Number(b.findings > 0) - Number(a.findings > 0));
  const one = checks.find((check) => check.name === chosen);
  return (
    <Panel title="Checks" meta={plural(checks.filter((check) => check.enabled).length, "check")}>
      <ul className="check-list">
        {sorted.map((check) => (
          <li key={check.name}>
            <button
              type="button" aria-pressed={check.name === chosen} title={check.means}
              onClick={() => onChoose(check.name === chosen ? undefined : check.name)}
            >
              <span className="cut">{check.title}</span>
              {check.enabled ? <Counts check={check} /> : <span className="dim">off</span>}
            </button>
          </li>
        ))}
      </ul>
      {one ? (
        <div className="check-about">
          <p>{one.means}</p>
          {one.findings ? <p><span className="dim">Fix</span> {sentence(one.fix)}</p> : null}
          <p className="dim">
            {count(one.looked_at)} {one.unit} in {duration(one.took_ms / 1000)}
            {Object.entries(one.parameters).map(([name, value]) => `; ${name} ${String(value)}`)}
          </p>
        </div>
      ) : null}
    </Panel>
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
