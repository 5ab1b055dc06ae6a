import { IconAlertTriangle } from "@tabler/icons-react";
import type { ObjectiveResult } from "@/api/schema.gen";
import type { FindingsSummary } from "@/api/schema.gen";
import { count, measured } from "@/kit/format";
import { ObjectivePill } from "@/kit/gates";
import { Panel, sentence } from "@/kit/page";

/** What the contract leaves open, and where the data violate it. */
export function Warnings({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) return null;
  return (
    <div className="notice warn" role="note">
      <ul className="card-warnings">
        {warnings.map((one) => <li key={one}><IconAlertTriangle size={14} aria-hidden="true" /><span>{sentence(one)}</span></li>)}
      </ul>
    </div>
  );
}

/** The objectives of the contract. They block nothing, so a missed one can stand beside green gates. */
export function Objectives({ objectives }: { objectives: ObjectiveResult[] }) {
  if (objectives.length === 0) return null;
  const met = objectives.filter((one) => one.state === "met").length;
  return (
    <Panel title="Objectives" meta={`${met} of ${objectives.length} met`} className="table">
      <table className="rows">
        <thead><tr><th>Objective</th><th>State</th><th className="num">Measured</th><th className="num">Target</th></tr></thead>
        <tbody>
          {objectives.map((one) => (
            <tr key={one.name}>
              <td>{one.name}<br /><span className="dim">{sentence(one.detail)}</span></td>
              <td><ObjectivePill state={one.state} /></td>
              <td className="num nowrap">{one.measured === null ? <span className="dim">–</span> : `${measured(one.measured)} ${one.unit}`}</td>
              <td className="num nowrap dim">{`at ${one.at} ${measured(one.target)} ${one.unit}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

const STATES = ["open", "assigned", "accepted", "rejected", "fixed"] as const;

/** The findings of this version by state, the accepted risks with their dates, and the waivers. */
export function FindingStates({ standing }: { standing: FindingsSummary }) {
  const { states = [], accepted = [], waivers = [] } = standing;
  if (states.length === 0) return null;
  const all = states.reduce((sum, row) => sum + row.accepted, 0);
  return (
    <>
      <Panel title="Findings by state" meta="fixed: closed since the release before" className="table">
        <table className="rows">
          <thead><tr><th>Severity</th>{STATES.map((state) => <th key={state} className="num">{sentence(state)}</th>)}</tr></thead>
          <tbody>
            {states.map((row) => (
              <tr key={row.severity}>
                <td>{sentence(row.severity)}</td>
                {STATES.map((state) => <td key={state} className={row[state] === 0 ? "num dim" : "num"}>{count(row[state])}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      {accepted.length ? (
        <Panel title="Accepted risks" meta={all > accepted.length ? `${accepted.length} of ${count(all)}` : count(all)} className="table">
          <table className="rows">
            <thead><tr><th>Finding</th><th>Reason</th><th>Until</th></tr></thead>
            <tbody>
              {accepted.map((one) => (
                <tr key={one.key}>
                  <td><strong>{one.check}</strong> <span className="dim">{one.severity}</span><br />{one.sample ? `${one.sample}: ` : ""}{one.what}</td>
                  <td>{one.because}</td>
                  <td className="nowrap">{one.until}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
      ) : null}
      {waivers.length ? (
        <Panel title="Active waivers" meta="findings that gates ignore" className="table">
          <table className="rows">
            <thead><tr><th>Check</th><th>Where</th><th className="num">Findings</th><th>Reason</th><th>Owner</th><th>Until</th></tr></thead>
            <tbody>
              {waivers.map((one) => (
                <tr key={`${one.check} ${one.where} ${one.until}`}>
                  <td>{one.check}</td><td className="mono cut-cell">{one.where}</td><td className="num">{count(one.findings)}</td>
                  <td>{one.because}</td><td>{one.owner}</td><td className="nowrap">{one.until}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
      ) : null}
    </>
  );
}
