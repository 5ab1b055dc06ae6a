import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import type { Overview } from "@/api/schema.gen";
import { clauses, equals, nameable, ofClass } from "@/api/where";
import { classColour } from "@/canvas/colours";
import { IconButton } from "@/kit/basics";
import { compact, plural, shown } from "@/kit/format";
import { best } from "@/kit/fuzzy";

type Props = {
  data: Overview;
  where: string;
  hidden: ReadonlySet<number>;
  onHide: (hidden: Set<number>) => void;
  onAdd: (clause: string) => void;
};

/** The legend and the filters: counts are of the whole state, not of the query. */
export function Facets({ data, where, hidden, onHide, onAdd }: Props) {
  const active = new Set(clauses(where));
  const flip = (id: number) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    onHide(next);
  };
  const [typed, setTyped] = useState("");
  const shownClasses = best(data.classes, typed, (one) => one.name);
  const allHidden = data.classes.length > 0 && data.classes.every((one) => hidden.has(one.id));
  return (
    <aside className="facets" aria-label="Classes and filters">
      <section>
        <header>
          <h2>Classes</h2>
          <IconButton
            className="small" label={allHidden ? "Show all classes" : "Hide all classes"}
            onClick={() => onHide(allHidden ? new Set() : new Set(data.classes.map((one) => one.id)))}
          >
            {allHidden ? <IconEyeOff size={14} /> : <IconEye size={14} />}
          </IconButton>
        </header>
        {data.classes.length > 16 ? (
          <input className="field facet-filter" placeholder="Find a class" aria-label="Find a class" value={typed} onChange={(event) => setTyped(event.target.value)} />
        ) : null}
        <ul>
          {shownClasses.map((one) => {
            const isHidden = hidden.has(one.id);
            return (
              <li key={one.id} className="facet" data-hidden={isHidden}>
                <button
                  type="button" className="swatch" role="switch" aria-checked={!isHidden} aria-label={`Show ${one.name}`}
                  title={isHidden ? "Show this class" : "Hide this class"} onClick={() => flip(one.id)}
                >
                  <i style={{ background: isHidden ? "none" : classColour(one.id), borderColor: classColour(one.id) }} />
                </button>
                <Choice name={one.name} clause={ofClass(one.name)} active={active} onAdd={onAdd} count={one.annotations} title={plural(one.samples, "sample")} />
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
              <Choice name={one.name || "no split"} clause={equals("split", one.name)} active={active} onAdd={onAdd} count={one.samples} />
            </li>
          ))}
        </Section>
      ) : null}
      {data.fields.filter((field) => field.distinct > 1 && field.distinct <= 12 && nameable(field.name)).map((field) => (
        <Section key={field.name} title={field.name}>
          {field.top.map(({ value, count }) => (
            <li key={String(value)} className="facet">
              <Choice name={shown(value)} clause={equals(field.name, value)} active={active} onAdd={onAdd} count={count} />
            </li>
          ))}
        </Section>
      ))}
    </aside>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <header><h2 className="cut">{title}</h2></header>
      <ul>{children}</ul>
    </section>
  );
}

function Choice({ name, clause, active, onAdd, count, title }: {
  name: string;
  clause: string;
  active: ReadonlySet<string>;
  onAdd: (clause: string) => void;
  count: number;
  title?: string;
}) {
  return (
    <button type="button" className="facet-choice" aria-pressed={active.has(clause)} onClick={() => onAdd(clause)} title={title ?? clause}>
      <span className="cut">{name}</span>
      <span className="num dim">{compact(count)}</span>
    </button>
  );
}
