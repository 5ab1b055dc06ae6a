import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { API, call, part } from "@/api/client";
import type { NewRelease } from "@/api/schema.gen";

export const releases = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "releases"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/releases", { path: { dataset } }),
  });

export const release = (dataset: string, version: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "release", version),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/releases/{version}", { path: { dataset, version } }),
    retry: false,
  });

/** What a release of the working state would hold. */
export const plan = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "release-plan"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/releases/plan", { path: { dataset } }),
    retry: false,
  });

/** Run the checks and release the working state. */
export const createRelease = (dataset: string, release: NewRelease) =>
  call("post", "/api/v1/datasets/{dataset}/releases", { path: { dataset }, body: release });

/** The address of one file of a release. */
export const fileUrl = (dataset: string, version: string, path: string) =>
  `${API}/datasets/${part(dataset)}/releases/${part(version)}/files/${path.split("/").map(part).join("/")}`;
