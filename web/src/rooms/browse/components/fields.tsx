import type { LinkProps } from "@tanstack/react-router";
import type { FieldSummary } from "@/api/schema.gen";
import { between, equals, nameable } from "@/api/where";
import { Bars, HistogramBars } from "@/kit/bars";
import { plural, shown } from "@/kit/format";

export type Filter = (where: string) => Pick<LinkProps, "to" | "params" | "search">;

/** Metadata, field by field: a histogram of numbers, the most frequent values of the rest. */
export function Fields({ fields, filter }: { fields: FieldSummary[]; filter: Filter }) {
  return (
    <div className="field-grid">
      {fields.map((field) => (
        <section key={field.name} aria-label={field.name}>
          <header className="field-head">
            <h3 className="cut">{field.name}</h3>
            <span>{field.type}, {plural(field.distinct, "value")}</span>
          </header>
          {field.histogram && nameable(field.name) ? (
            <HistogramBars
              histogram={field.histogram} name={field.name}
              link={(low, high, isLast) => filter(between(field.name, low, high, isLast))}
            />
          ) : (
            <TopValues field={field} filter={filter} />
          )}
          {field.missing ? (
            <Bars
              label={`Without ${field.name}`} max={field.missing}
              items={[{
                key: "missing", label: <span className="dim">missing</span>, name: `${field.name} is missing`, value: field.missing,
                ...(nameable(field.name) ? { link: filter(`${field.name} is missing`) } : {}),
              }]}
            />
          ) : null}
        </section>
      ))}
    </div>
  );
}

const LINES = 6;

function TopValues({ field, filter }: { field: FieldSummary; filter: Filter }) {
  // Values that are mostly unique (times, names) say little one by one.
  const isUnique = field.distinct > 24 && (field.top[0]?.count ?? 0) <= 2;
  if (isUnique) return <p className="dim">mostly unique, for example {shown(field.top[0]?.value)}</p>;
  const top = field.top.slice(0, LINES);
  const more = field.distinct - top.length;
  return (
    <>
      <Bars
        label={field.name}
        items={top.map(({ value, count }) => ({
          key: String(value), label: shown(value), name: `${field.name} ${shown(value)}`, value: count,
          ...(nameable(field.name) ? { link: filter(equals(field.name, value)) } : {}),
        }))}
      />
      {more > 0 ? <span className="dim more">and {plural(more, "other value")}</span> : null}
    </>
  );
}
