import { DASHES } from "@/canvas/draw";
import { count } from "@/kit/format";
import type { SetRow } from "./drawn_sets";

type Props = { rows: readonly SetRow[]; onDrawn: (names: readonly string[]) => void };

/** Which label sets are drawn, each with its pattern of lines; nothing where there is only one. */
export function LabelSets({ rows, onDrawn }: Props) {
  if (rows.length < 2) return null;
  const flip = (name: string) => onDrawn(rows.filter((row) => (row.name === name ? !row.isDrawn : row.isDrawn)).map((row) => row.name));
  return (
    <ul className="label-sets" aria-label="Drawn label sets">
      {rows.map(({ name, total, isDrawn, dash }) => (
        <li key={name}>
          <label>
            <input type="checkbox" aria-label={`Draw ${name}`} checked={isDrawn} onChange={() => flip(name)} />
            <svg width="30" height="10" aria-hidden="true">
              <line x1="1" y1="5" x2="29" y2="5" stroke="currentColor" strokeWidth="2" strokeDasharray={DASHES[dash % DASHES.length]?.join(" ")} />
            </svg>
            <span className="cut" title={name}>{name}</span>
            <span className="num dim">{count(total)}</span>
          </label>
        </li>
      ))}
    </ul>
  );
}
