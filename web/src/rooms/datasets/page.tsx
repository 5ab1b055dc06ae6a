import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { DatasetRow as Row } from "@/api/schema.gen";
import { Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { plural } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { ErrorState } from "@/kit/page";
import { pollMs, runs } from "@/rooms/pipeline/api";
import * as api from "./api";
import { Attention } from "./components/attention";
import { DatasetRow } from "./components/dataset_row";
import { NoDatasets } from "./components/no_datasets";
import { LIST_KEYS } from "./keys";
import "./page.css";

/** Home: what waits for somebody, and every dataset with its contents, gates and releases. */
export function DatasetsPage() {
  const list = useQuery(api.datasets());
  const items = list.data?.items ?? [];
  const ran = useQuery({
    ...runs(""), enabled: items.length > 0,
    refetchInterval: ({ state }) => pollMs(state.data?.items.some((run) => run.state === "running") ?? false),
  });
  return (
    <Page title="Home" meta={list.data ? plural(items.length, "dataset") : null} actions={<CopyAs panel="datasets" shown={{}} />}>
      {list.isPending ? <Loading what="datasets" /> : null}
      {list.error ? <ErrorState error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.data && items.length === 0 ? <NoDatasets /> : null}
      {items.length > 0 ? (
        <div className="home">
          <Attention items={items} runs={ran.data?.items ?? []} />
          <h2 className="home-title">Datasets</h2>
          <Rows items={items} />
        </div>
      ) : null}
    </Page>
  );
}

function Rows({ items }: { items: Row[] }) {
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  const move = (step: number) => {
    const next = Math.min(items.length - 1, Math.max(0, at + step));
    setAt(next);
    document.querySelector<HTMLElement>(`[data-dataset="${next}"] a`)?.focus();
  };
  useCommands(LIST_KEYS, {
    "list.next": () => move(1),
    "list.previous": () => move(-1),
    "list.samples": () => {
      const row = items[at];
      if (row) void navigate({ to: "/d/$dataset/samples", params: { dataset: row.name } });
    },
  });
  return (
    <ul className="dataset-rows">
      {items.map((row, index) => (
        <li key={row.name} data-dataset={index}>
          <DatasetRow row={row} />
        </li>
      ))}
    </ul>
  );
}
