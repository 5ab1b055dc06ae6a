import { queryOptions } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { call } from "@/api/client";
import { branchQuery, MAIN } from "@/kit/branch";
import type { ChangeSearch } from "./search";

/** Most commits that the history shows. */
export const MOST_COMMITS = 1_000;

export const refs = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "refs"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/refs", { path: { dataset } }),
  });

export const log = (dataset: string, ref: string, limit = 200) =>
  queryOptions({
    queryKey: datasetKey(dataset, "log", ref, limit),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/log", { path: { dataset }, query: { ref, limit } }),
  });

/** The commits of one ref, or with "" of all branches and tags, and the uncommitted changes of main. */
export const graph = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "log", ref, "graph"),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/log", { path: { dataset }, query: { ref, limit: MOST_COMMITS, all_refs: ref === "" } }),
  });

const asked = (a: string, b: string, { change, before, after }: ChangeSearch) => ({ a, b, change, class_before: before, class_after: after });

/** The changes from `a` to `b`, and a page of the samples that differ; `b` "" is the working state. */
export const diff = (dataset: string, a: string, b: string, wanted: ChangeSearch = {}, page = 0) =>
  queryOptions({
    queryKey: datasetKey(dataset, "diff", asked(a, b, wanted), page),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/diff", {
        path: { dataset }, query: { ...asked(a, b, wanted), offset: page * PAGE, limit: PAGE },
      }),
    retry: false,
  });

/** One sample at `a` and at `b`. */
export const compared = (dataset: string, a: string, b: string, wanted: ChangeSearch, id: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "diff", asked(a, b, wanted), "sample", id),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/diff/samples/{sample_id}", {
        path: { dataset, sample_id: id }, query: asked(a, b, wanted),
      }),
    retry: false,
  });

export const merges = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "merges"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/merges", { path: { dataset } }),
  });

export const merge = (dataset: string, id: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "merge", id),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/merges/{merge}", { path: { dataset, merge: id }, query: { limit: 1000 } }),
    retry: false,
  });

export const commit = (dataset: string, message: string, branch = MAIN) =>
  call("post", "/api/v1/datasets/{dataset}/commits", { path: { dataset }, query: branchQuery(branch), body: { message } });

/** Create a branch at the last commit of a ref. */
export const createBranch = (dataset: string, name: string, from: string) =>
  call("post", "/api/v1/datasets/{dataset}/branches", { path: { dataset }, body: { name, from } });

/** Name a commit. */
export const tag = (dataset: string, name: string, ref: string) =>
  call("post", "/api/v1/datasets/{dataset}/tags", { path: { dataset }, body: { name, ref } });

/** Who approved a commit. */
export const approvals = (dataset: string, id: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "approvals", id),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/commits/{commit}/approvals", { path: { dataset, commit: id } }),
  });

/** Say yes to a commit of somebody else. */
export const approve = (dataset: string, id: string, reason: string) =>
  call("post", "/api/v1/datasets/{dataset}/commits/{commit}/approvals", { path: { dataset, commit: id }, body: { reason } });

/** Restore the contents of a commit as a new commit of a branch. */
export const rollback = (dataset: string, to: string, discard: boolean, branch = MAIN) =>
  call("post", "/api/v1/datasets/{dataset}/rollback", { path: { dataset }, query: branchQuery(branch), body: { to, discard } });

/** Resolve conflicts of a merge by their positions. */
export const resolve = (dataset: string, merge: string, how: string, which: number[]) =>
  call("post", "/api/v1/datasets/{dataset}/merges/{merge}/choices", { path: { dataset, merge }, body: { how, which } });

/** Commit a merge whose conflicts are resolved. */
export const land = (dataset: string, merge: string) =>
  call("post", "/api/v1/datasets/{dataset}/merges/{merge}/landing", { path: { dataset, merge }, body: {} });

export const abandon = (dataset: string, merge: string) =>
  call("delete", "/api/v1/datasets/{dataset}/merges/{merge}", { path: { dataset, merge } });
