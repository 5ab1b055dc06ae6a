import { IconDatabase } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { thumbUrl } from "@/api/client";
import * as queries from "@/api/queries";
import type { DatasetRow } from "@/api/types";
import { useCommands } from "@/app/commands";
import { Page } from "@/app/page";
import { CommandLine, Loading, Pill, When } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { GateSummary } from "@/kit/gates";
import { EmptyState, ErrorState } from "@/kit/page";
import "./list.css";

/** Every dataset of the workspace: what it holds, whether it passes, what was released. */
export function DatasetsPage() {
  const list = useQuery(queries.datasets());
  const items = list.data?.items ?? [];
  return (
    <Page title="Datasets" meta={list.data ? plural(items.length, "dataset") : null}>
      {list.isPending ? <Loading what="datasets" /> : null}
      {list.error ? <ErrorState error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.data && items.length === 0 ? <NoDatasets /> : null}
      {items.length > 0 ? <Rows items={items} /> : null}
    </Page>
  );
}

function Rows({ items }: { items: DatasetRow[] }) {
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  const move = (step: number) => {
    const next = Math.min(items.length - 1, Math.max(0, at + step));
    setAt(next);
    document.querySelector<HTMLElement>(`[data-dataset="${next}"] a`)?.focus();
  };
  useCommands([
    { id: "list.next", title: "Next dataset", group: "Page", keys: ["j", "ArrowDown"], quiet: true, run: () => move(1) },
    { id: "list.previous", title: "Previous dataset", group: "Page", keys: ["k", "ArrowUp"], quiet: true, run: () => move(-1) },
    {
      id: "list.samples", title: "Samples of the dataset in hand", group: "Page", keys: ["s"], quiet: true,
      run: () => {
        const row = items[at];
        if (row) void navigate({ to: "/d/$dataset/samples", params: { dataset: row.name } });
      },
    },
  ]);
  return (
    <ul className="dataset-rows">
      {items.map((row, index) => (
        <li key={row.name} data-dataset={index}>
          <Row row={row} />
        </li>
      ))}
    </ul>
  );
}

function Row({ row }: { row: DatasetRow }) {
  const params = { dataset: row.name };
  return (
    <article className="dataset-row" aria-label={row.name}>
      <div className="dataset-text">
        <div className="dataset-head">
          <h2 className="cut"><Link to="/d/$dataset" params={params} className="dataset-link">{row.name}</Link></h2>
          <GateSummary gates={row.gates} />
          {row.dirty && row.samples ? <Pill tone="warn">{row.head ? "Uncommitted changes" : "Not committed"}</Pill> : null}
          {row.releases.slice(0, 2).map((version) => <Pill key={version} tone="accent">{version}</Pill>)}
          {row.releases.length > 2 ? <span className="dim">and {row.releases.length - 2} more</span> : null}
        </div>
        {row.description ? <p className="cut dim">{row.description}</p> : null}
        <div className="dataset-line">
        <dl className="dataset-numbers">
          <div><dt>{row.samples === 1 ? "sample" : "samples"}</dt><dd>{count(row.samples)}</dd></div>
          <div><dt>{row.annotations === 1 ? "annotation" : "annotations"}</dt><dd>{count(row.annotations)}</dd></div>
          <div><dt>{row.classes === 1 ? "class" : "classes"}</dt><dd>{count(row.classes)}</dd></div>
          {row.label_sets.length > 1 ? <div><dt>label sets</dt><dd>{row.label_sets.length}</dd></div> : null}
        </dl>
          <div className="dataset-commit cut">
            {row.head ? <>{row.head.message || "(no message)"}, <When at={row.head.at} /></> : "nothing committed yet"}
          </div>
        </div>
      </div>
      <Link to="/d/$dataset/samples" params={params} className="cover" tabIndex={-1} aria-hidden="true">
        {row.cover.slice(0, 8).map((media) => <img key={media} src={thumbUrl(media)} alt="" loading="lazy" className="thumb" />)}
      </Link>
    </article>
  );
}

function NoDatasets() {
  return (
    <EmptyState title="No datasets yet" icon={<IconDatabase size={26} stroke={1.5} />}>
      <p>Make one, put images in, and it appears here. Each line works in a terminal in this workspace.</p>
      <CommandLine>calotype dataset create crossings</CommandLine>
      <CommandLine>calotype add crossings ~/pictures --source cam-07 --licence CC-BY-4.0</CommandLine>
      <p>Or look around in one that is ready made:</p>
      <CommandLine>calotype demo</CommandLine>
    </EmptyState>
  );
}
