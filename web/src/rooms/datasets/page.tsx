import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { DatasetRow as Row } from "@/api/schema.gen";
import { Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { ErrorState } from "@/kit/page";
import * as api from "./api";
import { DatasetRow } from "./components/dataset_row";
import { NoDatasets } from "./components/no_datasets";
import { LIST_KEYS } from "./keys";
import "./page.css";

/** Every dataset of the workspace: its contents, its gates, its releases. */
export function DatasetsPage() {
  const list = useQuery(api.datasets());
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
