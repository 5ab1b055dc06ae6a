import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { ask, part, queryText, send } from "@/api/client";
import type { Commit, Diff, Log, Ref } from "@/api/types";
import type { Merge, MergeDetail } from "@/api/types_merge";

const below = (dataset: string) => `/datasets/${part(dataset)}`;

export const refs = (dataset: string) =>
  queryOptions({ queryKey: datasetKey(dataset, "refs"), queryFn: () => ask<{ items: Ref[] }>(`${below(dataset)}/refs`) });

export const log = (dataset: string, ref: string, limit = 200) =>
  queryOptions({
    queryKey: datasetKey(dataset, "log", ref, limit),
    queryFn: () => ask<Log>(`${below(dataset)}/log${queryText({ ref, limit })}`),
  });

export const diff = (dataset: string, a: string, b: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "diff", a, b),
    queryFn: () => ask<Diff>(`${below(dataset)}/diff?${new URLSearchParams({ a, b }).toString()}`),
    retry: false,
  });

export const merges = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "merges"),
    queryFn: () => ask<{ items: Merge[] }>(`${below(dataset)}/merges`),
  });

export const merge = (dataset: string, id: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "merge", id),
    queryFn: () => ask<MergeDetail>(`${below(dataset)}/merges/${part(id)}?limit=1000`),
    retry: false,
  });

export const commit = (dataset: string, message: string) => send<Commit>(`${below(dataset)}/commits`, { message });

/** Name a commit. */
export const tag = (dataset: string, name: string, ref: string) => send(`${below(dataset)}/tags`, { name, ref });

/** Restore the contents of a commit as a new commit. */
export const rollback = (dataset: string, to: string, discard: boolean) => send(`${below(dataset)}/rollback`, { to, discard });

/** Resolve conflicts of a merge by their positions. */
export const resolve = (dataset: string, merge: string, how: string, which: number[] | "all") =>
  send(`${below(dataset)}/merges/${part(merge)}/choices`, { how, which });

/** Commit a merge whose conflicts are resolved. */
export const land = (dataset: string, merge: string) => send(`${below(dataset)}/merges/${part(merge)}/landing`);

export const abandon = (dataset: string, merge: string) => send(`${below(dataset)}/merges/${part(merge)}`, {}, "DELETE");
