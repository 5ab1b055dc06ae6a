import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import type { CheckResults, Facets as Counts, Overview, ValueCount } from "@/api/schema.gen";
import { clauses, equals, nameable, ofClass, tagged, withFinding } from "@/api/where";
import { classColour } from "@/canvas/colours";
import { IconButton } from "@/kit/basics";
import { compact, plural, shown } from "@/kit/format";
import { best } from "@/kit/fuzzy";
import "./colours.css";

type Props = {
  data: Overview;
  /** Counts of the query; the whole state's where there is none, absent while they are made or if they cannot be. */
  counts: Omit<Counts, "commit"> | undefined;
  checks: CheckResults | undefined;
  where: string;
  hidden: ReadonlySet<number>;
  onHide: (hidden: Set<number>) => void;
  onAdd: (clause: string) => void;
  /** What annotations are coloured by, above the classes. */
  colours?: ReactNode;
  /** Whether classes have no colour of their own. */
  plain?: boolean;
  /** Where objects are shown: the class to show, and a choice of it. */
  objects?: { of: string | undefined; onOf: (name: string | undefined) => void } | undefined;
};

const MOST_TAGS = 12;

/** The legend and the filters: what there is in the whole state, with counts of what matches the query. */
export function Facets({ data, counts, checks, where, hidden, onHide, onAdd, colours, plain = false, objects }: Props) {
  const active = new Set(clauses(where));
  const flip = (id: number) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    onHide(next);
  };
  const [typed, setTyped] = useState("");
  const shownClasses = best(data.classes, typed, (one) => one.name);
  const allHidden = data.classes.length > 0 && data.classes.every((one) => hidden.has(one.id));
  const ofClasses = new Map(counts?.classes.map((one) => [one.id, one]));
  const isRough = counts?.approximate ?? false;
  const choice = { active, onAdd, isRough };
  const perCheck = (checks?.checks ?? []).filter((one) => one.findings > 0).sort((a, b) => b.findings - a.findings);
  return (
    <aside className="facets" aria-label="Classes and filters" aria-busy={counts === undefined}>
      {isRough ? <p className="facets-rough" role="status">Estimated; exact counts follow.</p> : null}
      {colours}
      <section>
        <header>
          <h2>Classes</h2>
          {objects ? null : <IconButton
            className="small" label={allHidden ? "Show all classes" : "Hide all classes"}
            onClick={() => onHide(allHidden ? new Set() : new Set(data.classes.map((one) => one.id)))}
          >
            {allHidden ? <IconEyeOff size={14} /> : <IconEye size={14} />}
          </IconButton>}
        </header>
        {data.classes.length > 16 ? (
          <input className="field facet-filter" placeholder="Find a class" aria-label="Find a class" value={typed} onChange={(event) => setTyped(event.target.value)} />
        ) : null}
        <ul>
          {shownClasses.map((one) => {
            const isHidden = hidden.has(one.id);
            const colour = plain ? "var(--text-3)" : classColour(one.id);
            const matching = ofClasses.get(one.id);
            return (
              <li key={one.id} className="facet" data-hidden={isHidden && !objects}>
                {objects ? <span className="swatch" aria-hidden="true"><i style={{ background: colour, borderColor: colour }} /></span> : <button
                  type="button" className="swatch" role="switch" aria-checked={!isHidden} aria-label={`Show ${one.name}`}
                  title={isHidden ? "Show this class" : "Hide this class"} onClick={() => flip(one.id)}
                >
                  <i style={{ background: isHidden ? "none" : colour, borderColor: colour }} />
                </button>}
                <Choice
                  {...choice} {...(objects ? onlyOf(one.name, objects) : null)} name={one.name} clause={ofClass(one.name)} count={counts && (matching?.annotations ?? 0)}
                  title={objects ? "Show only objects of this class" : matching ? plural(matching.samples, "sample") : undefined}
                />
              </li>
            );
          })}
        </ul>
        {data.classes.length === 0 ? <p className="dim">none</p> : null}
      </section>
      {data.splits.length > 1 ? (
        <Section title="Split">
          {data.splits.map((one) => (
            <li key={one.name} className="facet">
              <Choice {...choice} name={one.name || "no split"} clause={equals("split", one.name)} count={counts && (counts.splits.find((other) => other.name === one.name)?.samples ?? 0)} />
            </li>
          ))}
        </Section>
      ) : null}
      {data.tags.length ? (
        <Section title="Tags">
          {data.tags.slice(0, MOST_TAGS).map(({ value }) => (
            <li key={String(value)} className="facet"><Choice {...choice} name={shown(value)} clause={tagged(String(value))} count={among(counts?.tags, value)} /></li>
          ))}
        </Section>
      ) : null}
      {data.fields.filter((field) => field.distinct > 1 && field.distinct <= 12 && nameable(field.name)).map((field) => (
        <Section key={field.name} title={field.name}>
          {field.top.map(({ value }) => (
            <li key={String(value)} className="facet">
              <Choice {...choice} name={shown(value)} clause={equals(field.name, value)} count={among(counts?.fields.find((one) => one.name === field.name)?.top, value)} />
            </li>
          ))}
        </Section>
      ))}
      {perCheck.length ? (
        <Section title={checks?.stale ? "Findings, before the last change" : "Findings, all samples"}>
          {perCheck.map((one) => (
            <li key={one.name} className="facet">
              <Choice {...choice} isRough={false} name={one.name} clause={withFinding(one.name)} count={one.findings} title={`${plural(one.findings, "finding")} in the newest run`} />
            </li>
          ))}
        </Section>
      ) : null}
    </aside>
  );
}

/** The choice of a class where objects are shown: instead of a part of the query. */
const onlyOf = (name: string, { of, onOf }: NonNullable<Props["objects"]>) => ({
  active: new Set(of === name ? [ofClass(name)] : []), onAdd: () => onOf(of === name ? undefined : name),
});

/** How often a value is among those that are counted; unknown while they are. */
function among(listed: readonly ValueCount[] | undefined, value: ValueCount["value"]): number | undefined {
  return listed && (listed.find((one) => one.value === value)?.count ?? 0);
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <header><h2 className="cut">{title}</h2></header>
      <ul>{children}</ul>
    </section>
  );
}

function Choice({ name, clause, active, onAdd, count, title, isRough }: {
  name: string;
  clause: string;
  active: ReadonlySet<string>;
  onAdd: (clause: string) => void;
  /** Absent while it is counted. */
  count: number | undefined;
  title?: string | undefined;
  isRough: boolean;
}) {
  const isNone = count === 0 && !active.has(clause);
  return (
    <button type="button" className="facet-choice" data-none={isNone} aria-pressed={active.has(clause)} onClick={() => onAdd(clause)} title={title ?? clause}>
      <span className="cut">{name}</span>
      <span className="num dim">{count === undefined ? "…" : `${isRough ? "~" : ""}${compact(count)}`}</span>
    </button>
  );
}
