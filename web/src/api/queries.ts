import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ask, part, queryText } from "@/api/client";
import type {
  Checks, Contract, DatasetRow, Diff, FindingPage, Log, Overview, Ref, SampleDetail, SamplePage, Session,
} from "@/api/types";
import type { Merge, MergeDetail } from "@/api/types_merge";
import type { Audit, Release, ReleaseRow, Run, RunRow } from "@/api/types_release";

/** What to ask and under which key it is kept; everything of a dataset begins with ["d", name]. */
export const PAGE = 100;

export type View = { where?: string | undefined; sort?: string | undefined; labels?: string | undefined };

const at = (dataset: string) => `/datasets/${part(dataset)}`;
const viewed = (ref: string, view: View) => ({
  ref, where: view.where, sort: view.sort, label_set: view.labels,
});

export const session = () => queryOptions({ queryKey: ["session"], queryFn: () => ask<Session>("/session"), staleTime: Infinity });

export const datasets = () =>
  queryOptions({ queryKey: ["datasets"], queryFn: () => ask<{ items: DatasetRow[] }>("/datasets") });

export const overview = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: ["d", dataset, "overview", ref],
    queryFn: () => ask<Overview>(at(dataset) + queryText({ ref })),
  });

export const refs = (dataset: string) =>
  queryOptions({ queryKey: ["d", dataset, "refs"], queryFn: () => ask<{ items: Ref[] }>(`${at(dataset)}/refs`) });

export const samplePage = (dataset: string, ref: string, view: View, page: number) =>
  queryOptions({
    queryKey: ["d", dataset, "samples", ref, viewed("", view), page],
    queryFn: ({ signal }) =>
      ask<SamplePage>(
        `${at(dataset)}/samples${queryText({ ...viewed(ref, view), offset: page * PAGE, limit: PAGE })}`, { signal },
      ),
    gcTime: 60_000,
    retry: false,
  });

export const sample = (dataset: string, id: string, ref: string, view: View) =>
  queryOptions({
    queryKey: ["d", dataset, "sample", id, ref, viewed("", view)],
    queryFn: ({ signal }) => ask<SampleDetail>(`${at(dataset)}/samples/${part(id)}${queryText(viewed(ref, view))}`, { signal }),
    retry: false,
  });

export const log = (dataset: string, ref: string, limit = 200) =>
  queryOptions({
    queryKey: ["d", dataset, "log", ref, limit],
    queryFn: () => ask<Log>(`${at(dataset)}/log${queryText({ ref, limit })}`),
  });

export const diff = (dataset: string, a: string, b: string) =>
  queryOptions({
    queryKey: ["d", dataset, "diff", a, b],
    queryFn: () => ask<Diff>(`${at(dataset)}/diff?${new URLSearchParams({ a, b }).toString()}`),
    retry: false,
  });

export const checks = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: ["d", dataset, "checks", ref],
    queryFn: () => ask<Checks>(`${at(dataset)}/checks${queryText({ ref })}`),
  });

export const contract = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: ["d", dataset, "contract", ref],
    queryFn: () => ask<Contract>(`${at(dataset)}/contract${queryText({ ref })}`),
  });

export const findings = (dataset: string, run: string, check: string, severity: string, page: number) =>
  queryOptions({
    queryKey: ["d", dataset, "findings", run, check, severity, page],
    queryFn: () =>
      ask<FindingPage>(
        `${at(dataset)}/findings${queryText({ run, check, severity, offset: page * PAGE, limit: PAGE })}`,
      ),
    enabled: run !== "",
    placeholderData: keepPreviousData,
  });

export const merges = (dataset: string) =>
  queryOptions({ queryKey: ["d", dataset, "merges"], queryFn: () => ask<{ items: Merge[] }>(`${at(dataset)}/merges`) });

export const merge = (dataset: string, id: string) =>
  queryOptions({ queryKey: ["d", dataset, "merge", id], queryFn: () => ask<MergeDetail>(`${at(dataset)}/merges/${part(id)}?limit=1000`), retry: false });

export const releases = (dataset: string) =>
  queryOptions({
    queryKey: ["d", dataset, "releases"],
    queryFn: () => ask<{ items: ReleaseRow[] }>(`${at(dataset)}/releases`),
  });

export const release = (dataset: string, version: string) =>
  queryOptions({
    queryKey: ["d", dataset, "release", version],
    queryFn: () => ask<Release>(`${at(dataset)}/releases/${part(version)}`),
    retry: false,
  });

export const runs = (dataset: string) =>
  queryOptions({
    queryKey: ["runs", dataset],
    queryFn: () => ask<{ items: RunRow[] }>(`/runs${queryText({ dataset })}`),
    retry: false,
  });

export const run = (id: string) =>
  queryOptions({ queryKey: ["run", id], queryFn: () => ask<Run>(`/runs/${part(id)}`), retry: false });

export const audit = (dataset: string, limit: number) =>
  queryOptions({
    queryKey: ["audit", dataset, limit],
    queryFn: () => ask<Audit>(`/audit${queryText({ dataset, limit })}`),
  });
