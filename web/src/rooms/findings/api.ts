import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { call } from "@/api/client";
import type { DecisionBody, Finding } from "@/api/schema.gen";

export type Severity = Finding["severity"];

/** One page of the findings of a run; "" stands for every check or severity. */
export const findings = (dataset: string, run: string, check: string, severity: Severity | "", page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "findings", run, check, severity, page),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/findings", {
        path: { dataset }, query: { run, check, severity, offset: page * PAGE, limit: PAGE },
      }),
    enabled: run !== "",
    placeholderData: keepPreviousData,
  });

export type Decision = Omit<DecisionBody, "keys">;

export const decide = (dataset: string, keys: string[], decision: Decision) =>
  call("post", "/api/v1/datasets/{dataset}/finding-decisions", { path: { dataset }, body: { keys, ...decision } });

/** Stage the repairs that these findings suggest. */
export const fix = (dataset: string, keys: string[]) =>
  call("post", "/api/v1/datasets/{dataset}/finding-fixes", { path: { dataset }, body: { keys } });

/** Undo the latest fix. */
export const undoFix = (dataset: string) =>
  call("post", "/api/v1/datasets/{dataset}/finding-fixes/undo", { path: { dataset }, body: {} });

const STATES = ["open", "assigned", "fixed", "rejected", "accepted"] as const;

/** The findings on a sample with their states, also the decided ones. */
export const ofSample = (dataset: string, sample: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "findings-of", sample),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/finding-lives", { path: { dataset }, query: { sample, state: [...STATES], limit: 200 }, signal }),
  });
