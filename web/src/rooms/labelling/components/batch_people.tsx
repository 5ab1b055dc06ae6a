import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { BatchFigures, PersonFigures } from "@/api/schema.gen";
import { count, duration, plural } from "@/kit/format";
import { Panel } from "@/kit/page";
import * as api from "../api";

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** How the work of each person in one batch fared in review, and what became of prelabels. */
export function BatchPeople({ dataset, batches }: { dataset: string; batches: readonly string[] }) {
  const [chosen, setChosen] = useState(batches[0] ?? "");
  const query = useQuery({ ...api.figures(dataset, chosen), enabled: chosen !== "" });
  const { people = [], prelabels = [] } = query.data ?? {};
  if (query.error || (people.length === 0 && batches.length < 2)) return null;
  return (
    <Panel
      className="table wide" title="People"
      meta={<select className="field" aria-label="Batch" value={chosen} onChange={(event) => setChosen(event.target.value)}>{batches.map((one) => <option key={one}>{one}</option>)}</select>}
    >
      {people.length ? (
        <table className="rows">
          <thead><tr><th>Person</th><th className="num">Submitted</th><th className="num">Sent back</th><th className="num">Skipped</th><th className="num">Accepted unchanged</th><th>95 % interval</th><th className="num">Seconds an image</th></tr></thead>
          <tbody>{people.map((one) => <Person key={one.person} one={one} />)}</tbody>
        </table>
      ) : <p className="dim">Nobody has begun.</p>}
      {query.data ? <Outlook figures={query.data} /> : null}
      {prelabels.length ? (
        <table className="rows">
          <thead><tr><th>Prelabels</th><th>Class</th><th className="num">Kept</th><th className="num">Adjusted</th><th className="num">Rejected</th></tr></thead>
          <tbody>
            {prelabels.map((one) => (
              <tr key={`${one.model} ${one.class}`}><td>{one.model}</td><td>{one.class}</td><td className="num">{count(one.kept)}</td><td className="num">{count(one.adjusted)}</td><td className="num">{count(one.rejected)}</td></tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

/** When the batch will be finished at this pace, and how long questions wait. */
function Outlook({ figures: { forecast, questions } }: { figures: BatchFigures }) {
  return (
    <dl className="batch-outlook">
      <div>
        <dt>Finished by</dt>
        <dd>
          {forecast.p50 && forecast.p80 ? <>{forecast.p50} <span className="dim">(50 %)</span>, {forecast.p80} <span className="dim">(80 %)</span></> : <span className="dim">unknown: {forecast.why}</span>}
          <span className="dim">; {count(forecast.remaining)} to submit, {count(forecast.done)} in the last {plural(forecast.days, "day")}</span>
        </dd>
      </div>
      <div>
        <dt>Questions</dt>
        <dd>{questions.median_h === null ? <span className="dim">none answered</span> : <>answered after {duration(3600 * questions.median_h)} <span className="dim">(median of {count(questions.answered)})</span></>}{questions.open ? `, ${count(questions.open)} open` : ""}</dd>
      </div>
    </dl>
  );
}

function Person({ one }: { one: PersonFigures }) {
  const [low, high] = one.interval;
  return (
    <tr>
      <td>{one.person}</td>
      <td className="num">{count(one.submitted)}</td>
      <td className="num">{count(one.sent_back)}</td>
      <td className="num">{count(one.skipped)}</td>
      <td className="num">{one.first_pass === null ? "–" : `${count(one.unchanged)} of ${count(one.reviewed)}`}</td>
      <td className="dim">{one.first_pass === null ? "not reviewed yet" : `${percent(low)} to ${percent(high)}`}</td>
      <td className="num">{one.median_s === null ? "–" : Math.round(one.median_s)}</td>
    </tr>
  );
}
