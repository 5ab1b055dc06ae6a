import { Link } from "@tanstack/react-router";
import { useMemo, type ReactNode } from "react";
import type { FullAnnotation, SampleDetail } from "@/api/schema.gen";
import type { ColourOf, Colouring } from "@/canvas/colour_by";
import { equals, nameable } from "@/api/where";
import { Pill } from "@/kit/basics";
import { bytes, count, moment, shown } from "@/kit/format";
import type { Signal } from "@/kit/signal";
import type { SampleSearch } from "../search";
import { AnnotationList } from "./annotation_list";
import { Colours } from "./colours";
import type { SetRow } from "./drawn_sets";
import { SampleHistory } from "./history";
import { LabelSets } from "./label_sets";
import { Lineage } from "./lineage";
import { Nearest } from "./nearest";
import { Fact, Id, Section } from "./section";

type Props = {
  data: SampleDetail;
  /** Annotations of the chosen label set, in the order to list them. */
  list: readonly FullAnnotation[];
  dataset: string;
  refName: string;
  search: SampleSearch;
  labelSet: string;
  hidden: ReadonlySet<number>;
  hover: Signal<string | null>;
  selected: FullAnnotation | null;
  /** What the checks say, and what can be done with the selected annotation: parts of other rooms. */
  findings: ReactNode;
  editor: ReactNode;
  flagged: ReadonlySet<string>;
  onShow: (id: string) => void;
  onHide: (hidden: Set<number>) => void;
  onLabels: (name: string) => void;
  /** The label sets of the sample, and those that are drawn. */
  sets: readonly SetRow[];
  onSets: (names: readonly string[]) => void;
  colourOf?: ColourOf | undefined;
  authors: readonly string[];
  onColour: (by: Colouring | undefined) => void;
};

/** Everything known about a sample, beside its image. */
export function Inspector(props: Props) {
  const { data, dataset, refName, search, selected } = props;
  return (
    <aside className="inspector" aria-label="About this sample">
      {props.findings}
      <Annotations {...props} />
      {props.editor}
      <Colours by={search.colour} labelSets={props.sets.filter((row) => row.isDrawn).map((row) => row.name)} authors={props.authors} onBy={props.onColour} />
      <Metadata data={data} dataset={dataset} search={search} />
      <SampleHistory dataset={dataset} refName={refName} sample={data.id} selected={selected && { id: selected.id, name: selected.class }} total={props.list.length} />
      <Lineage data={data} dataset={dataset} refName={refName} search={search} />
      <Nearest dataset={dataset} sample={data.id} search={search} />
      <Provenance data={data} />
    </aside>
  );
}

function Annotations(props: Props) {
  const { data, list, labelSet, hidden, hover, selected, flagged, editor, colourOf, onShow, onHide, onLabels } = props;
  const names = Object.keys(data.label_sets);
  const flip = useMemo(() => (id: number) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    onHide(next);
  }, [hidden, onHide]);
  return (
    <Section
      title="Annotations" className="annotations"
      meta={
        names.length > 1 ? (
          <select className="field" aria-label="Label set" value={labelSet} onChange={(event) => onLabels(event.target.value)}>
            {names.map((name) => <option key={name} value={name}>{name} ({count(data.label_sets[name]?.length ?? 0)})</option>)}
          </select>
        ) : count(list.length)
      }
    >
      <LabelSets rows={props.sets} onDrawn={props.onSets} />
      <AnnotationList list={list} hidden={hidden} hover={hover} selected={selected?.id ?? null} flagged={flagged} colourOf={colourOf} detailed={!editor} onPick={onShow} onFlip={flip} />
    </Section>
  );
}

function Metadata({ data, dataset, search }: Pick<Props, "data" | "dataset" | "search">) {
  const metadata = Object.entries(data.metadata);
  if (metadata.length === 0 && data.tags.length === 0) return null;
  return (
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
  );
}

function Provenance({ data }: { data: SampleDetail }) {
  return (
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
      </dl>
    </Section>
  );
}

/** Times without the ISO letters; everything else unchanged. */
function readable(value: unknown): string {
  const text = shown(value);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? text.replace("T", " ").replace(/\.0+(?=\D|$)/, "").replace(/(?:\+00:00|Z)$/, " UTC") : text;
}
