import type { GateResult, ObjectiveResult } from "@/api/schema.gen";
import { measured, plural } from "@/kit/format";
import { GatePill, ObjectivePill } from "@/kit/gates";
import { Panel, sentence } from "@/kit/page";

/** The gates, those that block first, each with its measurement, its threshold and its fix. */
export function GateList({ gates, onCheck }: { gates: GateResult[]; onCheck: (check: string) => void }) {
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

/** The objectives of the contract and whether they are met. */
export function ObjectiveList({ objectives }: { objectives: ObjectiveResult[] }) {
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

/** Whether the threshold is a minimum or a maximum, from the gate's own sentence. */
function limit(gate: GateResult): string {
  if (/\bat least\b/.test(gate.detail)) return "min";
  return /\b(allowed|at most)\b/.test(gate.detail) ? "max" : "of";
}
