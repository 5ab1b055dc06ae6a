import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call } from "@/api/client";

/** The latest run of the checks on a state, its gates and objectives. */
export const checks = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "checks", ref),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/checks", { path: { dataset }, query: { ref } }),
  });

export const runChecks = (dataset: string, ref: string) =>
  call("post", "/api/v1/datasets/{dataset}/checks", { path: { dataset }, query: { ref } });
