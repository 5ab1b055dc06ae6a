import { IconChevronLeft, IconChevronRight, IconZoomReset } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { ComparedSample } from "@/api/schema.gen";
import { IconButton, Loading, Pill, Segmented } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, percent } from "@/kit/format";
import { ErrorState } from "@/kit/page";
import * as api from "../api";
import { DIFF_KEYS } from "../keys";
import type { DiffSearch, Mode } from "../search";
import { placeOf } from "./change_shapes";
import { Classes, TONES } from "./change_words";
import { CompareStage } from "./compare_stage";

type Props = { dataset: string; search: DiffSearch; id: string; onChange: (more: Partial<DiffSearch>) => void };

/** The selected sample in both states, with every field and annotation that differs. */
export function ComparePanel({ dataset, search, id, onChange }: Props) {
  const { a, b = "", mode = "side" } = search;
  const client = useQueryClient();
  const query = useQuery(api.compared(dataset, a, b, search, id));
  const [rest, setRest] = useState(true);
  const [picked, setPicked] = useState<{ sample: string; id: string } | null>(null);
  const [whole, setWhole] = useState(false);
  const data = query.data;
  const go = (to: string | null | undefined) => to && onChange({ sample: to });
  const next = data?.position?.next;
  useEffect(() => {
    if (next) void client.prefetchQuery(api.compared(dataset, a, b, search, next));
  }, [client, dataset, a, b, search, next]);
  const show = (to: Mode) => () => onChange({ mode: to === "side" ? undefined : to });
  useCommands(DIFF_KEYS, {
    "diff.next": () => go(data?.position?.next),
    "diff.previous": () => go(data?.position?.previous),
    "diff.side": show("side"),
    "diff.overlay": show("overlay"),
    "diff.blink": show("blink"),
    "diff.fit": () => setWhole(!whole),
  });
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!data) return <Loading what="the sample" />;
  const only = picked?.sample === data.id ? picked.id : undefined;
  return (
    <section className="compare" aria-label={`Changes of ${data.name}`}>
      <header className="compare-head">
        <h2 className="cut">{data.name}</h2>
        {data.position ? <span className="dim tabular nowrap">{count(data.position.index + 1)} of {count(data.position.total)}</span> : null}
        <IconButton label="Previous changed sample" disabled={!data.position?.previous} command="diff.previous"><IconChevronLeft size={16} /></IconButton>
        <IconButton label="Next changed sample" disabled={!data.position?.next} command="diff.next"><IconChevronRight size={16} /></IconButton>
        <Segmented
          label="How to compare" value={mode} onChange={(to) => show(to)()}
          options={[
            { value: "side", label: "Side by side" },
            { value: "overlay", label: "Overlay" },
            { value: "blink", label: "Blink" },
          ]}
        />
        <label className="compare-rest"><input type="checkbox" checked={rest} onChange={() => setRest(!rest)} /> Unchanged</label>
        <IconButton label="Fit the image" aria-pressed={whole} command="diff.fit"><IconZoomReset size={16} /></IconButton>
        <Sample dataset={dataset} sample={data} search={search} />
      </header>
      <CompareStage dataset={dataset} sample={data} mode={mode} rest={rest} place={whole ? null : placeOf(data, only)} />
      <Changes sample={data} picked={only} onPick={(annotation) => setPicked(annotation === only ? null : { sample: data.id, id: annotation })} />
    </section>
  );
}

/** The page of the sample, which goes on through the same list. */
function Sample({ dataset, sample, search: { a, b, change, before, after } }: { dataset: string; sample: ComparedSample; search: DiffSearch }) {
  const ref = (sample.after ? b : a) || undefined;
  return <Link className="link nowrap" to="/d/$dataset/samples/$sample" params={{ dataset, sample: sample.id }} search={{ ref, from: "diff", a, b, change, before, after }}>Open the sample</Link>;
}

function Changes({ sample, picked, onPick }: { sample: ComparedSample; picked: string | undefined; onPick: (id: string) => void }) {
  return (
    <ul className="compare-changes" aria-label="What differs">
      {sample.fields.map((field) => (
        <li key={field.field} className="compare-change">
          <Pill tone="warn">changed</Pill>
          <span>{field.field}</span>
          <span className="compare-values"><s>{field.before || "none"}</s> {"\u2192"} <b>{field.after || "none"}</b></span>
        </li>
      ))}
      {sample.changes.map((change) => (
        <li key={`${change.label_set} ${change.id}`}>
          <button type="button" className="compare-change" aria-pressed={picked === change.id} onClick={() => onPick(change.id)}>
            <Pill tone={TONES[change.change]}>{change.change}</Pill>
            <Classes change={change} />
            <span className="dim compare-values">
              {change.moved && change.iou !== null ? `overlap ${percent(change.iou, 1)}` : ""}
              {change.label_set === "ground_truth" ? "" : ` ${change.label_set}`}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
