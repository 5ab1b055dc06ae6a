import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call } from "@/api/client";

const key = (dataset: string, ...rest: unknown[]) => datasetKey(dataset, "guideline", ...rest);

export const versions = (dataset: string) =>
  queryOptions({
    queryKey: key(dataset, "versions"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/guidelines", { path: { dataset } }),
  });

export const guideline = (dataset: string, version: number) =>
  queryOptions({
    queryKey: key(dataset, version),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/guideline", { path: { dataset }, query: { version } }),
  });

/** What changed in a version since the one before it. */
export const diff = (dataset: string, version: number) =>
  queryOptions({
    queryKey: key(dataset, version, "diff"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/guideline/diff", { path: { dataset }, query: { b: version } }),
  });

export const reading = (dataset: string) =>
  queryOptions({
    queryKey: key(dataset, "reading"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/guideline/reading", { path: { dataset } }),
  });

export const stale = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: key(dataset, "stale", ref),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/stale-labels", { path: { dataset }, query: { ref } }),
  });

/** A sample that an example shows. */
export const sample = (dataset: string, id: string) =>
  queryOptions({
    queryKey: key(dataset, "sample", id),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/samples/{sample_id}", { path: { dataset, sample_id: id } }),
    retry: false,
  });

export const acknowledge = (dataset: string, version: number) =>
  call("post", "/api/v1/datasets/{dataset}/guideline/reading", { path: { dataset }, body: { version } });

export const reloaded = (dataset: string) => ({ queryKey: key(dataset) });
