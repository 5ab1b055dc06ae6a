import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { API, ask, part, send } from "@/api/client";
import type { Release, ReleaseRow } from "@/api/types_release";

const below = (dataset: string) => `/datasets/${part(dataset)}/releases`;

export const releases = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "releases"),
    queryFn: () => ask<{ items: ReleaseRow[] }>(below(dataset)),
  });

export const release = (dataset: string, version: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "release", version),
    queryFn: () => ask<Release>(`${below(dataset)}/${part(version)}`),
    retry: false,
  });

export type NewRelease = {
  version: string;
  formats: string[];
  split: Record<string, number> | null;
  by: string | null;
  where: string | null;
  purpose: string;
};

/** Run the checks and release the working state. */
export const createRelease = (dataset: string, release: NewRelease) => send<ReleaseRow>(below(dataset), release);

/** The address of one file of a release. */
export const fileUrl = (dataset: string, version: string, path: string) =>
  `${API}${below(dataset)}/${part(version)}/files/${path.split("/").map(part).join("/")}`;
