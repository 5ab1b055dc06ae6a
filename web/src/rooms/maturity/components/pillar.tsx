import { Link } from "@tanstack/react-router";
import type { PillarState } from "@/api/schema.gen";
import { Pill } from "@/kit/basics";
import { count } from "@/kit/format";
import { Panel } from "@/kit/page";

export const TONE = { green: "good", red: "bad", unknown: "plain" } as const;
export const NAMES = { security: "Security", quality: "Quality", reliability: "Reliability", usability: "Usability", coverage: "Coverage" } as const;

type Reading = PillarState["indicators"][number];

const percent = (value: number) => `${(100 * value).toLocaleString("en", { maximumFractionDigits: 1 })} %`;

/** A value or a target in the unit of its indicator. */
export function figure(value: number, unit: string): string {
  if (unit === "share") return percent(value);
  const number = value.toLocaleString("en", { maximumFractionDigits: 2 });
  return unit === "count" ? number : `${number} ${unit}`;
}

/** A pillar: each indicator with its value, what is asked for, and the page with the rows it was counted from. */
export function Pillar({ pillar }: { pillar: PillarState }) {
  const green = pillar.indicators.filter((one) => one.state === "green").length;
  return (
    <Panel
      className="table wide" title={<>{NAMES[pillar.name]} <Pill tone={TONE[pillar.state]}>{pillar.state}</Pill></>}
      meta={`${count(green)} of ${count(pillar.indicators.length)} green`}
    >
      <table className="rows maturity">
        <thead><tr><th>Id</th><th>Indicator</th><th>State</th><th className="num">Value</th><th className="num">Target</th><th>Evidence</th></tr></thead>
        <tbody>{pillar.indicators.map((one) => <Row key={one.id} one={one} />)}</tbody>
      </table>
    </Panel>
  );
}

function Row({ one }: { one: Reading }) {
  return (
    <tr>
      <td className="dim">{one.id}</td>
      <td><span title={one.definition}>{one.title}</span>{one.window_days ? <span className="dim"> {one.window_days} days</span> : null}</td>
      <td><Pill tone={TONE[one.state]}>{one.state}</Pill></td>
      <td className="num">
        {one.value === null ? "–" : figure(one.value, one.unit)}
        {one.interval && one.n < 200 ? <div className="dim">{percent(one.interval[0] ?? 0)} to {percent(one.interval[1] ?? 1)}</div> : null}
      </td>
      <td className="num dim">{one.at_least ? "≥" : "≤"} {figure(one.target, one.unit)}</td>
      <td className="dim">
        {one.value === null ? sentence(one.why) : one.evidence.path ? <Link to={one.evidence.path as "/"} className="link">{rows(one)}</Link> : rows(one)}
      </td>
    </tr>
  );
}

const rows = ({ evidence }: Reading) => `${sentence(evidence.what)}: ${count(evidence.rows)}`;
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
