import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { thumbUrl } from "@/api/client";
import type { ChangeCounts, ChangedSample } from "@/api/schema.gen";
import { Loading, Pill, type Tone } from "@/kit/basics";
import { Delta } from "@/kit/counts";
import { count, plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import "./history.css";

/** The samples and annotations that differ between two states. */
export function DiffPage() {
  const { dataset } = useDataset();
  const { a, b = "" } = useSearch({ from: "/d/$dataset/diff" });
  const query = useQuery({ ...api.diff(dataset, a, b), enabled: a !== "" });
  const data = query.data;
  const nothing = data ? [data.samples, data.annotations].every((counts) => counts.added + counts.removed + counts.changed === 0) : false;
  const sets = Object.entries(data?.by_label_set ?? {});
  const touched = sets.filter(([, counts]) => counts.added + counts.removed + counts.changed > 0);
  const labels = touched.length === 1 ? touched[0]?.[0] : undefined;
  return (
    <Page
      title="Diff" withRef={false}
      crumbs={<><Link to="/d/$dataset/history" params={{ dataset }} className="crumb">History</Link><span className="slash" aria-hidden="true">/</span></>}
      meta={
        <span>
          <RefLink dataset={dataset} name={a} /> {"\u2192"} <RefLink dataset={dataset} name={b} />
        </span>
      }
    >
      {!a ? <EmptyState title="Select two commits"><p>Select two commits in <Link to="/d/$dataset/history" params={{ dataset }} className="link">the history</Link> to compare them.</p></EmptyState> : null}
      {query.isLoading ? <Loading what="the diff" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {nothing ? <EmptyState title="No differences in samples or annotations"><p>The two states may still differ in classes, fields or the contract.</p></EmptyState> : null}
      {data && !nothing ? (
        <>
          <div className="diff-counts">
            <Panel title="Samples"><Three counts={data.samples} /></Panel>
            <Panel title="Annotations"><Three counts={data.annotations} /></Panel>
            {sets.length > 1 ? (
              <Panel title="By label set">
                <ul className="diff-sets">{sets.map(([name, counts]) => <li key={name}><span className="cut">{name}</span><Delta counts={counts} /></li>)}</ul>
              </Panel>
            ) : null}
          </div>
          <h2 className="diff-head">Changed samples <span className="dim">{data.items.length >= 200 ? "the first 200" : plural(data.items.length, "sample")}</span></h2>
          <ul className="diff-grid">{data.items.map((item) => <li key={item.sample_id}><ChangedSample item={item} dataset={dataset} a={a} b={b} labels={labels} /></li>)}</ul>
        </>
      ) : null}
    </Page>
  );
}

function RefLink({ dataset, name }: { dataset: string; name: string }) {
  if (!name) return <Link to="/d/$dataset" params={{ dataset }} search={{ ref: undefined }} className="link">working state</Link>;
  return <Link to="/d/$dataset" params={{ dataset }} search={{ ref: name }} className="mono link">{/^[0-9a-f]{9,}$/.test(name) ? name.slice(0, 8) : name}</Link>;
}

function Three({ counts }: { counts: ChangeCounts }) {
  const rows = [["added", "plus", "+", counts.added], ["removed", "minus", "\u2212", counts.removed], ["changed", "changed", "~", counts.changed]] as const;
  return (
    <dl className="diff-three change-counts">
      {rows.map(([word, look, sign, n]) => (
        <div key={word}><dt className="dim">{word}</dt><dd className={n ? look : "dim"}>{n ? sign : ""}{count(n)}</dd></div>
      ))}
    </dl>
  );
}

const TONES: Record<string, Tone> = { added: "good", removed: "bad", changed: "warn", annotations: "plain" };

function ChangedSample({ item, dataset, a, b, labels }: { item: ChangedSample; dataset: string; a: string; b: string; labels: string | undefined }) {
  const { annotations } = item;
  const some = annotations.added + annotations.removed + annotations.changed > 0;
  return (
    <Link
      to="/d/$dataset/samples/$sample" params={{ dataset, sample: item.sample_id }} search={{ ref: (item.change === "removed" ? a : b) || undefined, labels, from: "diff" }}
      className="touched"
    >
      <img src={thumbUrl(dataset, item.media)} alt="" loading="lazy" className="thumb" />
      <span className="cut touched-name">{item.name}</span>
      <span className="touched-what">
        {item.change === "annotations" ? null : <Pill tone={TONES[item.change] ?? "plain"}>{item.change}</Pill>}
        {some ? <Delta counts={annotations} of="annotations" /> : null}
      </span>
    </Link>
  );
}
