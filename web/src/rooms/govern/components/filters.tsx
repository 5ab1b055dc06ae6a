import type { DatasetRow } from "@/api/schema.gen";
import { keysOf } from "@/kit/commands";
import { AGES, type AuditSearch } from "../search";

const AGE_NAMES = { "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days", "90d": "Last 90 days" } as const;
const VERBS = ["access", "audit", "check", "contract", "dataset", "finding", "grant", "images", "labels", "person", "release", "token"] as const;

/** Which events are shown: by person, action, dataset and age; all of it is in the address. */
export function Filters({ search, datasets, onChange }: {
  search: AuditSearch; datasets: readonly Pick<DatasetRow, "name">[]; onChange: (search: AuditSearch) => void;
}) {
  const set = (change: AuditSearch) => onChange({ ...search, event: undefined, ...change });
  return (
    <form className="audit-filters" aria-label="Filter events" onSubmit={(event) => event.preventDefault()}>
      <Typed label="Person" placeholder="Person: name, email or id" value={search.who} onEnter={(who) => set({ who })} />
      <Typed label="Action" placeholder="Action, such as release.create" value={search.verb} options={VERBS} onEnter={(verb) => set({ verb })} />
      <select className="field" aria-label="Dataset" value={search.dataset ?? ""} onChange={(event) => set({ dataset: event.target.value || undefined })}>
        <option value="">All datasets</option>
        {datasets.map((row) => <option key={row.name}>{row.name}</option>)}
      </select>
      <select className="field" aria-label="Since" value={search.since ?? ""} onChange={(event) => set({ since: AGES.find((age) => age === event.target.value) })}>
        <option value="">Any time</option>
        {AGES.map((age) => <option key={age} value={age}>{AGE_NAMES[age]}</option>)}
      </select>
      <label className="audit-before">
        before <input className="field" type="date" aria-label="Before the day (UTC)" value={search.until ?? ""} onChange={(event) => set({ until: event.target.value || undefined })} />
      </label>
      {search.event ? <button type="button" className="button quiet" onClick={() => onChange({})}>Only event {search.event}: show all</button> : null}
    </form>
  );
}

const leaveField = () => document.activeElement instanceof HTMLElement && document.activeElement.blur();

/** A field whose text counts when it is left or Enter is pressed. */
function Typed({ label, placeholder, value = "", options, onEnter }: {
  label: string; placeholder: string; value?: string | undefined; options?: readonly string[]; onEnter: (text: string | undefined) => void;
}) {
  const list = options ? `audit-${label}` : undefined;
  const enter = (text: string) => text.trim() === value || onEnter(text.trim() || undefined);
  return (
    <>
      <input
        key={value} className="field" aria-label={label} placeholder={placeholder} defaultValue={value} list={list} maxLength={200} spellCheck={false}
        onBlur={(event) => void enter(event.target.value)} {...keysOf({ Enter: leaveField })}
      />
      {options ? <datalist id={list}>{options.map((option) => <option key={option} value={option} />)}</datalist> : null}
    </>
  );
}
