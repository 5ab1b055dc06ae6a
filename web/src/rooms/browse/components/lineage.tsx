import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { thumbUrl } from "@/api/client";
import type { SampleDetail } from "@/api/schema.gen";
import { plural } from "@/kit/format";
import * as api from "../api";
import type { SampleSearch } from "../search";
import { Section } from "./section";

type Shown = { id: string; name: string; media: string };
type Props = { data: SampleDetail; dataset: string; refName: string; search: SampleSearch };

const MOST = 11;

/** The sample that this one was derived from, and the copies derived from it, as images that lead there. */
export function Lineage({ data, dataset, refName, search }: Props) {
  const parent = useQuery({ ...api.sample(dataset, data.parent ?? "", refName, {}), enabled: data.parent !== null, staleTime: 30_000 });
  if (!data.parent && data.children.length === 0) return null;
  const more = data.children.length - MOST;
  return (
    <Section title="Lineage" meta={data.children.length ? plural(data.children.length, "copy", "copies") : "a copy"}>
      {data.parent ? (
        <div className="lineage-parent">
          {parent.data ? <SmallImage one={parent.data} dataset={dataset} search={search} /> : <span className="thumb small-image" />}
          <p>
            Derived from{" "}
            <Link to="/d/$dataset/samples/$sample" params={{ dataset, sample: data.parent }} search={elsewhere(search)} className="link">{parent.data?.name ?? "the original sample"}</Link>
            {data.recipe ? <> by recipe <span className="mono" title={data.recipe}>{data.recipe.slice(0, 12)}</span></> : null}
          </p>
        </div>
      ) : null}
      {data.children.length ? (
        <div className="small-images">
          {data.children.slice(0, MOST).map((child) => <SmallImage key={child.id} one={child} dataset={dataset} search={search} />)}
          {more > 0 ? <span className="dim more">and {more} more</span> : null}
        </div>
      ) : null}
    </Section>
  );
}

/** A small image that leads to its sample. */
export function SmallImage({ one, dataset, search, note }: { one: Shown; dataset: string; search: SampleSearch; note?: string }) {
  return (
    <Link to="/d/$dataset/samples/$sample" params={{ dataset, sample: one.id }} search={elsewhere(search)} title={note ? `${one.name}, ${note}` : one.name} aria-label={note ? `${one.name} ${note}` : one.name} className="small-image">
      <img src={thumbUrl(dataset, one.media, 128)} alt="" className="thumb" loading="lazy" />
      {note ? <span className="small-note">{note}</span> : null}
    </Link>
  );
}

/** A sample reached from here is looked at by itself, not as part of a list. */
const elsewhere = ({ ref, labels, hide }: SampleSearch): SampleSearch => ({ ref, labels, hide });
