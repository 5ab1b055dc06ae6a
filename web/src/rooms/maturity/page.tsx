import { IconStairsUp } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { MaturityReading } from "@/api/schema.gen";
import { Loading, Pill } from "@/kit/basics";
import { plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "./api";
import { NAMES, Pillar, TONE } from "./components/pillar";
import { AGES } from "./search";
import "./page.css";

const AGE_NAMES: Record<(typeof AGES)[number], string> = { "7d": "A week ago", "30d": "30 days ago", "90d": "90 days ago", "180d": "Half a year ago", "365d": "A year ago" };
const STEPS = 5;

/** How far each dataset is on the hierarchy of needs, from evidence; the worst is shown first. */
export function MaturityPage() {
  const search = useSearch({ from: "/maturity" });
  const navigate = useNavigate({ from: "/maturity" });
  const query = useQuery(api.maturity(search.at));
  const items = query.data?.datasets ?? [];
  const shown = items.find((one) => one.dataset === (search.dataset ?? query.data?.worst)) ?? items[0];
  return (
    <Page
      title="Maturity" meta={query.data && items.length ? `level ${query.data.level} of 5, that of ${query.data.worst}` : null}
      actions={
        <select
          className="field" aria-label="As of" value={search.at ?? ""}
          onChange={(event) => void navigate({ search: (before) => ({ ...before, at: AGES.find((age) => age === event.target.value) }) })}
        >
          <option value="">Now</option>
          {AGES.map((age) => <option key={age} value={age}>{AGE_NAMES[age]}</option>)}
        </select>
      }
    >
      {query.isPending ? <Loading what="the evidence" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.data && items.length === 0 ? (
        <EmptyState title="No dataset to assess" icon={<IconStairsUp size={26} stroke={1.5} />}>
          <p>Maturity is read from what Calotype holds about a dataset: releases, check runs, reviews, grants, the audit trail. Nobody can type it.</p>
        </EmptyState>
      ) : null}
      {items.length ? (
        <div className="maturity-stack">
          <Datasets items={items} shown={shown?.dataset ?? ""} onShow={(dataset) => void navigate({ search: (before) => ({ ...before, dataset }) })} />
          {shown ? <Next one={shown} /> : null}
          {shown?.pillars.map((pillar) => <Pillar key={pillar.name} pillar={pillar} />)}
        </div>
      ) : null}
    </Page>
  );
}

function Datasets({ items, shown, onShow }: { items: readonly MaturityReading[]; shown: string; onShow: (dataset: string) => void }) {
  return (
    <Panel className="table wide" title="Datasets" meta={plural(items.length, "dataset")}>
      <table className="rows">
        <thead><tr><th>Dataset</th><th>Level</th>{Object.values(NAMES).map((name) => <th key={name}>{name}</th>)}</tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.dataset} aria-selected={one.dataset === shown}>
              <td><button type="button" className="link" aria-pressed={one.dataset === shown} onClick={() => onShow(one.dataset)}>{one.dataset}</button></td>
              <td>{one.level} of 5</td>
              {one.pillars.map((pillar) => <td key={pillar.name}><Pill tone={TONE[pillar.state]}>{pillar.state}</Pill></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/** What raises the level next, and the organisation that suits it. */
function Next({ one }: { one: MaturityReading }) {
  return (
    <Panel title={`What raises ${one.dataset} next`} meta={`suggested organisation: ${one.suggested_model}`}>
      <ol className="maturity-steps">
        {one.advice.slice(0, STEPS).map((step) => (
          <li key={step.indicator}><strong>{step.indicator}</strong> {step.step} <span className="dim">{step.why}</span></li>
        ))}
      </ol>
      <p className="dim">{one.suggested_model}: {one.suggested_because}. A red or unknown lower pillar caps the level.</p>
    </Panel>
  );
}
