import { IconCheck, IconX } from "@tabler/icons-react";
import type { GateResult } from "@/api/schema.gen";
import { compact, count } from "@/kit/format";
import { Panel, sentence } from "@/kit/page";
import { coverageOf, stepOf, type Cell } from "./coverage";
import { Examples } from "./examples";

type Props = {
  gates: readonly GateResult[];
  dataset: string;
  refName: string;
  /** The name of the gate whose cell is open. */
  chosen: string | undefined;
  onChoose: (gate: string | undefined) => void;
  onFindings: () => void;
};

/** What the contract demands under each condition, and how much of it is there: holes stand out, and cells show examples. */
export function CoverageMap({ gates, dataset, refName, chosen, onChoose, onFindings }: Props) {
  const { classes, rows } = coverageOf(gates);
  if (rows.length === 0) return null;
  const all = rows.flatMap(({ cells }) => [...cells.values()]);
  const holes = all.filter(isHole).length;
  const open = rows.flatMap(({ title, cells }) => [...cells].map(([name, cell]) => ({ title, name, cell }))).find(({ cell }) => cell.gate.name === chosen);
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
                {["", ...classes].map((name) => {
                  const cell = cells.get(name);
                  return <CellOf key={name} cell={cell} of={`${title}, ${name || "samples"}`} isOpen={cell !== undefined && cell === open?.cell} onChoose={onChoose} />;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {open ? <Examples key={chosen} dataset={dataset} refName={refName} title={open.title} name={open.name} onFindings={isHole(open.cell) ? onFindings : undefined} /> : null}
    </Panel>
  );
}

const isHole = ({ have, need }: Cell): boolean => have < need;

function CellOf({ cell, of, isOpen, onChoose }: { cell: Cell | undefined; of: string; isOpen: boolean; onChoose: Props["onChoose"] }) {
  if (!cell) return <td className="none"><span className="hidden-label">nothing demanded</span></td>;
  const Icon = isHole(cell) ? IconX : IconCheck;
  return (
    <td data-step={stepOf(cell)} data-open={isOpen} title={`${of}: ${sentence(cell.gate.detail)}`}>
      <button type="button" aria-expanded={isOpen} aria-label={`${of}: ${count(cell.have)} of ${count(cell.need)}`} onClick={() => onChoose(isOpen ? undefined : cell.gate.name)}>
        <Icon size={12} aria-hidden="true" />
        <span>{compact(cell.have)} <span className="need">/ {compact(cell.need)}</span></span>
      </button>
    </td>
  );
}
