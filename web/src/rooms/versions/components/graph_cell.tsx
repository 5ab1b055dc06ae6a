import type { GraphRow, Node } from "./graph";

const [LANE, MOST_LANES] = [14, 12];
const TONES = 6;

/** The width that the graph needs, in pixels; lanes beyond the twelfth share its place. */
export const graphWidth = (lanes: number): number => Math.min(lanes, MOST_LANES) * LANE + 4;

const x = (lane: number): number => Math.min(lane, MOST_LANES - 1) * LANE + LANE / 2 + 2;

/** The lines of one row of the log graph. It only repeats what the row says in words. */
export function GraphCell({ row: { lane, into, out, past, commit }, lanes }: { row: GraphRow<Node>; lanes: number }) {
  const width = graphWidth(lanes);
  const line = (of: number, path: string, key: string) => <path key={key} d={path} className={`graph-line tone-${of % TONES}`} />;
  return (
    <span className="graph" style={{ width }} aria-hidden="true">
      <svg viewBox={`0 0 ${width} 100`} width={width} preserveAspectRatio="none">
        {past.map((one) => line(one, `M${x(one)} 0V100`, `past ${one}`))}
        {into.map((one) => line(Math.max(one, lane), `M${x(one)} 0C${x(one)} 30 ${x(lane)} 20 ${x(lane)} 50`, `into ${one}`))}
        {out.map((one) => line(Math.max(one, lane), `M${x(lane)} 50C${x(lane)} 80 ${x(one)} 70 ${x(one)} 100`, `out ${one}`))}
      </svg>
      <i className={`graph-node tone-${lane % TONES}`} data-merge={commit.parents.length > 1} style={{ left: x(lane) }} />
    </span>
  );
}
