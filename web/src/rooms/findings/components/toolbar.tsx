import { IconX } from "@tabler/icons-react";
import type { Overview } from "@/api/schema.gen";
import { both } from "@/api/where";
import { Segmented } from "@/kit/basics";
import { QueryBar } from "@/rooms/browse/panel";
import { SEVERITIES, type FindingsSearch, type Severity, type Shown } from "../search";

type Props = {
  search: FindingsSearch;
  data: Overview | undefined;
  by: string;
  error: Error | null;
  onChange: (change: Partial<FindingsSearch>) => void;
};

const GROUPINGS = [["check", "Check"], ["class", "Class"], ["fault", "Likely cause"]] as const;
const CHIPS = ["check", "class", "fault", "assignee"] as const;
const WORDS: Record<Severity, string> = { error: "Errors", warning: "Warnings", info: "Info" };

/** What the list shows and how it is grouped; all of it is in the address. */
export function Toolbar({ search, data, by, error, onChange }: Props) {
  const chips = CHIPS.filter((name) => search[name]);
  const fields = (data?.fields ?? []).filter((field) => field.distinct > 1 && field.distinct <= 100);
  return (
    <div className="findings-tools">
      <QueryBar
        where={search.where ?? ""} data={data} error={error} onWhere={(where) => onChange({ where: where || undefined })}
        onAdd={(clause) => onChange({ where: both(search.where, clause) })}
      />
      <div className="findings-filters" role="group" aria-label="Filters">
        <label className="findings-group">
          <span className="dim">Group by</span>
          <select className="field" value={by} onChange={(event) => onChange({ group: event.target.value === "check" ? undefined : event.target.value })}>
            {GROUPINGS.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
            {fields.length ? (
              <optgroup label="Condition">
                {fields.map(({ name }) => <option key={name} value={`field:${name}`}>{name}</option>)}
                <option value="field:split">split</option>
              </optgroup>
            ) : null}
          </select>
        </label>
        <Segmented<Severity | ""> label="Severity" value={search.severity ?? ""} onChange={(severity) => onChange({ severity: severity || undefined })} options={[{ value: "", label: "All" }, ...SEVERITIES.map((value) => ({ value, label: WORDS[value] }))]} />
        <Segmented<Shown | ""> label="State" value={search.shown ?? ""} onChange={(shown) => onChange({ shown: shown || undefined })} options={[{ value: "", label: "To do" }, { value: "decided", label: "Decided" }, { value: "all", label: "All" }]} />
        {chips.map((name) => (
          <button key={name} type="button" className="chip on" aria-label={`Remove ${name} ${search[name]}`} onClick={() => onChange({ [name]: undefined })}>
            {search[name]} <IconX size={12} />
          </button>
        ))}
      </div>
    </div>
  );
}
