import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/client";

/** Runs of one dataset, or of all with "". */
export const runs = (dataset: string) =>
  queryOptions({
    queryKey: ["runs", dataset],
    queryFn: () => call("get", "/api/v1/runs", { query: { dataset: dataset || undefined } }),
    retry: false,
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: () => call("get", "/api/v1/runs/{run_id}", { path: { run_id: id } }),
    retry: false,
  });
