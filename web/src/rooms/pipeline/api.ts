import { queryOptions } from "@tanstack/react-query";
import { ask, part, queryText } from "@/api/client";
import type { Run, RunRow } from "@/api/types_release";

/** Runs of one dataset, or of all with "". */
export const runs = (dataset: string) =>
  queryOptions({
    queryKey: ["runs", dataset],
    queryFn: () => ask<{ items: RunRow[] }>(`/runs${queryText({ dataset })}`),
    retry: false,
  });

export const run = (id: string) =>
  queryOptions({ queryKey: ["run", id], queryFn: () => ask<Run>(`/runs/${part(id)}`), retry: false });
