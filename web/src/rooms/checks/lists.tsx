import { useQuery } from "@tanstack/react-query";
import * as queries from "@/api/queries";
import type { CheckSummary, Gate, Objective } from "@/api/types";
import { CommandLine, Pill } from "@/kit/basics";
import { count, duration, measured, plural, short } from "@/kit/format";
import { GatePill, ObjectivePill } from "@/kit/gates";
import { Panel, sentence } from "@/kit/page";

/** The gates, those that block first, each with its number, its limit and the way out. */
export function GateList({ gates, onCheck }: { gates: Gate[]; onCheck: (check: string) => void }) {
  const sorted = [...gates].sort((a, b) => Number(a.state === "green") - Number(b.state === "green"));
  const green = gates.filter((gate) => gate.state === "green").length;
  return (
    <Panel title="Gates" meta={`${green} of ${gates.length} green`}>
      <ul className="gates">
        {sorted.map((gate) => (
          <li key={gate.name}>
            <GatePill state={gate.state} />
            <span className="gate-name">{gate.name}</span>
            <span className="gate-number num" title={sentence(gate.detail)}>
              {measured(gate.measured)}<span className="dim">, {limit(gate)} {measured(gate.threshold)}</span>
            </span>
            {gate.state === "green" ? null : (
              <div className="gate-why">
                <p>{sentence(gate.detail)}</p>
                {gate.fix ? <p><span className="dim">Fix</span> {sentence(gate.fix)}</p> : null}
                {gate.check && gate.findings ? (
                  <button type="button" className="link" onClick={() => onCheck(gate.check)}>Show {plural(gate.findings, "finding")}</button>
                ) : null}
              </div>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** The promises of the contract with their figures. */
export function ObjectiveList({ objectives }: { objectives: Objective[] }) {
  if (objectives.length === 0) return null;
  return (
    <Panel title="Objectives" meta={`${objectives.filter((one) => one.state === "met").length} of ${objectives.length} met`}>
      <ul className="gates objectives">
        {objectives.map((one) => (
          <li key={one.name} title={sentence(one.detail)}>
            <ObjectivePill state={one.state} />
            <span className="gate-name">{one.name}</span>
            <span className="gate-number num">
              {one.measured === null ? "" : `${measured(one.measured)}, `}
              <span className="dim">{`at ${one.at} ${measured(one.target)} ${one.unit}`}</span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Which side of the threshold is right, as the gate's own sentence says. */
function limit(gate: Gate): string {
  if (/\bat least\b/.test(gate.detail)) return "min";
  return /\b(allowed|at most)\b/.test(gate.detail) ? "max" : "of";
}

/** Every check with its findings; one can be chosen. */
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
      {info ? <Pill>{count(info)}<span className="hidden-label"> notes</span></Pill> : null}
    </span>
  );
}

/** The contract that the gates come from, to be read. */
export function ContractPanel({ dataset, refName }: { dataset: string; refName: string }) {
  const found = useQuery(queries.contract(dataset, refName));
  const contract = found.data;
  if (!contract) return null;
  return (
    <Panel title="Contract" meta={<span className="mono">{short(contract.sha256)}</span>}>
      {contract.text ? (
        <details className="contract">
          <summary>Read it</summary>
          <pre>{contract.text}</pre>
        </details>
      ) : (
        <>
          <p className="contract-none">
            The default: readable images, known classes, no leak between splits. Write down what the product needs, and the
            gates test that:
          </p>
          <CommandLine>{`calotype contract init ${dataset}`}</CommandLine>
        </>
      )}
    </Panel>
  );
}
