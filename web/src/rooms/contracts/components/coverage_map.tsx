import { IconCheck, IconX } from "@tabler/icons-react";
import type { GateResult } from "@/api/schema.gen";
import { compact, count } from "@/kit/format";
import { Panel, sentence } from "@/kit/page";
import { coverageOf, stepOf, type Cell } from "./coverage";

/** What the contract demands under each condition, and how much of it is there: holes stand out, and lead to their findings. */
export function CoverageMap({ gates, onHole }: { gates: readonly GateResult[]; onHole: () => void }) {
  const { classes, rows } = coverageOf(gates);
  if (rows.length === 0) return null;
  const all = rows.flatMap(({ cells }) => [...cells.values()]);
  const holes = all.filter(({ have, need }) => have < need).length;
  return (
    <Panel title="Coverage" meta={holes ? `${count(holes)} of ${count(all.length)} demands not met` : `all ${count(all.length)} demands met`} className="table">
      <div className="coverage-map" role="region" aria-label="Coverage by condition and class" tabIndex={0}>
        <table>
          <thead>
            <tr><th scope="col">Condition</th><th scope="col">Samples</th>{classes.map((name) => <th key={name} scope="col">{name}</th>)}</tr>
          </thead>
          <tbody>
            {rows.map(({ title, cells }) => (
              <tr key={title}>
                <th scope="row" className="cut" title={title}>{title}</th>
                {["", ...classes].map((name) => <CellOf key={name} cell={cells.get(name)} of={`${title}, ${name || "samples"}`} onHole={onHole} />)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function CellOf({ cell, of, onHole }: { cell: Cell | undefined; of: string; onHole: () => void }) {
  if (!cell) return <td className="none"><span className="hidden-label">nothing demanded</span></td>;
  const isHole = cell.have < cell.need;
  const words = <>{isHole ? <IconX size={12} aria-hidden="true" /> : <IconCheck size={12} aria-hidden="true" />}<span>{compact(cell.have)} <span className="need">/ {compact(cell.need)}</span></span></>;
  return (
    <td data-step={stepOf(cell)} title={`${of}: ${sentence(cell.gate.detail)}`}>
      {isHole ? <button type="button" onClick={onHole} aria-label={`${of}: ${count(cell.have)} of ${count(cell.need)}, show the findings`}>{words}</button> : <span>{words}</span>}
    </td>
  );
}
