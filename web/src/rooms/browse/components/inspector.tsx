import { IconAlertTriangle, IconEye, IconEyeOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";
import { thumbUrl } from "@/api/client";
import type { Finding, FullAnnotation, SampleDetail } from "@/api/schema.gen";
import { equals, nameable } from "@/api/where";
import { classColour } from "@/canvas/colours";
import { Copy, IconButton, Pill } from "@/kit/basics";
import { bytes, moment, shown } from "@/kit/format";
import { sentence } from "@/kit/page";
import { SeverityPill } from "@/kit/severity";
import type { SampleSearch } from "../search";
import { describe, marksOf, otherAttributes } from "./annotation_text";

type Props = {
  data: SampleDetail;
  /** Annotations of the chosen label set, in the order to list them. */
  list: readonly FullAnnotation[];
  dataset: string;
  search: SampleSearch;
  labelSet: string;
  hidden: ReadonlySet<number>;
  lit: string | null;
  onLit: (id: string | null) => void;
  onShow: (id: string) => void;
  onHide: (hidden: Set<number>) => void;
  onLabels: (name: string) => void;
};

/** Everything known about a sample, beside its image. */
export function Inspector(props: Props) {
  const { data, dataset, search } = props;
  const link = (id: string) => ({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: id }, search: { ...search, ann: undefined } }) as const;
  const metadata = Object.entries(data.metadata);
  return (
    <aside className="inspector" aria-label="About this sample">
      {data.findings.length ? (
        <Section title="Findings" meta={String(data.findings.length)}>
          {data.findings.map((finding, at) => <FindingLine key={at} finding={finding} onShow={props.onShow} />)}
        </Section>
      ) : null}
      <Annotations {...props} />
      {metadata.length || data.tags.length ? (
        <Section title="Metadata">
          {data.tags.length ? <p className="tag-line">{data.tags.map((tag) => <Pill key={tag}>{tag}</Pill>)}</p> : null}
          <dl className="facts">
            {metadata.map(([key, value]) => {
              const plain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
              return (
                <Fact key={key} name={key}>
                  {plain && nameable(key) ? (
                    <Link
                      to="/d/$dataset/samples" params={{ dataset }} search={{ ref: search.ref, where: equals(key, value) }}
                      className="link-plain" title={`Samples with the same ${key}`}
                    >
                      {readable(value)}
                    </Link>
                  ) : readable(value)}
                </Fact>
              );
            })}
          </dl>
        </Section>
      ) : null}
      <Section title="Provenance">
        <dl className="facts">
          <Fact name="source">{shown(data.source)}</Fact>
          <Fact name="licence">{shown(data.licence)}</Fact>
          {data.group ? <Fact name="group">{data.group}</Fact> : null}
          <Fact name="size">{data.width} {"\u00d7"} {data.height} px, {bytes(data.bytes)}</Fact>
          <Fact name="type">{data.mime}</Fact>
          <Fact name="added">{moment(data.created_at)}</Fact>
          {data.names.length > 1 ? <Fact name="other names">{data.names.filter((name) => name !== data.name).join(", ")}</Fact> : null}
          <Fact name="sample"><Id text={data.id} label="Copy the sample ID" /></Fact>
          <Fact name="SHA-256"><Id text={data.media} label="Copy the SHA-256" /></Fact>
          {data.recipe ? <Fact name="recipe"><span className="mono">{data.recipe}</span></Fact> : null}
          {data.parent ? <Fact name="derived from"><Link {...link(data.parent)} className="link">the original sample</Link></Fact> : null}
        </dl>
        {data.children.length ? (
          <>
            <h3>Derived samples</h3>
            <div className="children">
              {data.children.slice(0, 12).map((child) => (
                <Link key={child.id} {...link(child.id)} title={child.name} aria-label={child.name}>
                  <img src={thumbUrl(dataset, child.media, 128)} alt="" className="thumb" width={64} height={44} loading="lazy" />
                </Link>
              ))}
            </div>
          </>
        ) : null}
      </Section>
    </aside>
  );
}

function Annotations({ data, list, labelSet, hidden, lit, onLit, onShow, onHide, onLabels }: Props) {
  const names = Object.keys(data.label_sets);
  const selected = useRef<HTMLLIElement>(null);
  useEffect(() => {
    selected.current?.scrollIntoView({ block: "nearest" });
  }, [lit]);
  const flip = (id: number) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    onHide(next);
  };
  return (
    <Section
      title="Annotations"
      meta={
        names.length > 1 ? (
          <select className="field" aria-label="Label set" value={labelSet} onChange={(event) => onLabels(event.target.value)}>
            {names.map((name) => <option key={name} value={name}>{name} ({data.label_sets[name]?.length ?? 0})</option>)}
          </select>
        ) : String(list.length)
      }
    >
      <ul className="annotation-list" onMouseLeave={() => onLit(null)}>
        {list.map((a) => {
          const isHidden = hidden.has(a.class_id);
          return (
            <li key={a.id} ref={a.id === lit ? selected : undefined} className="annotation" data-lit={a.id === lit} data-hidden={isHidden}>
              <button type="button" className="annotation-main" onMouseEnter={() => onLit(a.id)} onFocus={() => onLit(a.id)} onClick={() => onShow(a.id)}>
                <i className="dot" style={{ background: classColour(a.class_id) }} />
                <span className="cut">{a.class}</span>
                <span className="dim annotation-kind">{describe(a)}</span>
              </button>
              <IconButton className="small" label={isHidden ? `Show ${a.class}` : `Hide ${a.class}`} onClick={() => flip(a.class_id)}>
                {isHidden ? <IconEyeOff size={13} /> : <IconEye size={13} />}
              </IconButton>
              <Marks a={a} whole={a.id === lit} />
              {a.id === lit ? <Attributes a={a} /> : null}
            </li>
          );
        })}
      </ul>
      {list.length === 0 ? <p className="dim">No annotations in this label set.</p> : null}
    </Section>
  );
}

/** Times without the ISO letters; everything else unchanged. */
function readable(value: unknown): string {
  const text = shown(value);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? text.replace("T", " ").replace(/\.0+(?=\D|$)/, "").replace(/(?:\+00:00|Z)$/, " UTC") : text;
}

/** What the attributes say that mean the same in every dataset, and the text of the annotation. */
function Marks({ a, whole }: { a: FullAnnotation; whole: boolean }) {
  const marks = marksOf(a);
  const text = whole ? shown(a.attributes.text ?? "") : a.text;
  if (marks.length === 0 && !a.text) return null;
  return (
    <p className="annotation-marks">
      {marks.map((mark) => <span key={mark} className="annotation-mark">{mark}</span>)}
      {a.text ? <q className={whole ? "" : "cut"}>{text}</q> : null}
    </p>
  );
}

function Attributes({ a }: { a: FullAnnotation }) {
  const facts = otherAttributes(a);
  if (facts.length === 0 && !a.author) return null;
  return (
    <p className="annotation-facts dim">
      {[...facts.map(([key, value]) => `${key}: ${shown(value)}`), a.author ? `by ${a.author}` : ""].filter(Boolean).join(", ")}
    </p>
  );
}

function FindingLine({ finding, onShow }: { finding: Finding; onShow: (id: string) => void }) {
  const annotation = finding.annotation_id;
  return (
    <div className="finding-line">
      <p><SeverityPill severity={finding.severity} /> <strong>{finding.check}</strong></p>
      <p>{sentence(finding.reason)}</p>
      {annotation ? (
        <button type="button" className="link" onClick={() => onShow(annotation)}><IconAlertTriangle size={12} /> Show the annotation</button>
      ) : null}
    </div>
  );
}

function Section({ title, meta, children }: { title: string; meta?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <header>
        <h2>{title}</h2>
        <span className="dim">{meta}</span>
      </header>
      {children}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Id({ text, label }: { text: string; label: string }) {
  return (
    <span className="id">
      <span className="mono">{text.slice(0, 12)}…</span>
      <Copy text={text} label={label} />
    </span>
  );
}
