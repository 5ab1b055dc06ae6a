import type { ValueCount } from "@/api/schema.gen";
import type { Card } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";
import { count, measured, plural, shown } from "@/kit/format";

/** Classes by split; a class that is missing from a split stands out. */
export function ClassTable({ card }: { card: Card }) {
  const splits = card.splits.map((one) => one.name);
  return (
    <table className="rows">
      <thead>
        <tr>
          <th>Class</th><th className="num">Samples</th><th className="num">All</th>
          {splits.map((name) => <th key={name} className="num">{name || "no split"}</th>)}
        </tr>
      </thead>
      <tbody>
        {card.classes.map((row) => (
          <tr key={row.id}>
            <td><i className="dot" style={{ background: classColour(row.id) }} />{row.name}</td>
            <td className="num dim">{count(row.samples)}</td>
            <td className="num">{count(row.annotations)}</td>
            {splits.map((name) => {
              const n = row.by_split[name] ?? 0;
              return <td key={name} className={n === 0 && row.annotations > 0 ? "num none" : "num"}>{count(n)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Conditions({ card }: { card: Card }) {
  return (
    <table className="rows">
      <tbody>
        {card.conditions.map((row) => (
          <tr key={row.field}>
            <td className="condition-name">{row.field}</td>
            <td>
              {row.range
                ? `${measured(row.range.min)} to ${measured(row.range.max)}, median ${measured(row.range.median)}`
                : row.distinct > 24 ? `${plural(row.distinct, "value")}, for example ${shown(row.values?.[0]?.value)}`
                : (row.values ?? []).map((one) => `${shown(one.value)} ${count(one.count)}`).join(", ")}
              {row.missing ? <span className="dim">; missing in {count(row.missing)}</span> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function CountedTable({ word, rows }: { word: string; rows: ValueCount[] }) {
  return (
    <table className="rows">
      <tbody>
        {rows.slice(0, 20).map((row) => (
          <tr key={String(row.value)}>
            <td className="mono-less">{row.value === "" || row.value === null ? <span className="dim">no {word}</span> : String(row.value)}</td>
            <td className="num">{count(row.count)}</td>
          </tr>
        ))}
        {rows.length > 20 ? <tr><td className="dim">and {rows.length - 20} more</td><td /></tr> : null}
      </tbody>
    </table>
  );
}

/** What was exported in each format, and what the format cannot represent. */
export function Exports({ card }: { card: Card }) {
  return (
    <ul className="exports">
      {card.exports.map((one) => (
        <li key={one.format}>
          <p><strong>{one.format}</strong> <span className="dim">{plural(one.samples, "sample")}, {plural(one.annotations, "annotation")}</span></p>
          {one.reopened ? <p className="dim">opened as a trainer opens it: {plural(one.reopened.images, "image")}, {plural(one.reopened.annotations, "annotation")} ({one.reopened.rule})</p> : null}
          {one.losses.map((loss) => (
            <p key={loss.what} className="loss">lost: {loss.what}, {count(loss.count)}{loss.examples?.length ? `, for example ${loss.examples[0]}` : ""}</p>
          ))}
          {one.losses.length === 0 ? <p className="dim">no losses</p> : null}
        </li>
      ))}
    </ul>
  );
}
