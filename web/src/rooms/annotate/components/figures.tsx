import { count, duration } from "@/kit/format";
import { Panel } from "@/kit/page";
import type { MyWork } from "./session/types";

/** One's own figures; nobody else sees them but the manager of the batch. */
export function Figures({ figures }: { figures: MyWork["figures"] }) {
  const shown = [
    ["Submitted", count(figures.submitted)], ["Accepted", count(figures.accepted)], ["Sent back", count(figures.sent_back)], ["Skipped", count(figures.skipped)],
    ["Active time", duration(figures.active_s)], ["Median of an image", figures.median_s === null ? "–" : duration(figures.median_s)],
  ] as const;
  return (
    <Panel title="My figures" meta={<span title="Seen by you and the manager of the batch">seen by you and your manager</span>}>
      <dl className="stats">{shown.map(([name, value]) => <div key={name} className="stat"><dt>{name}</dt><dd className="num">{value}</dd></div>)}</dl>
    </Panel>
  );
}
