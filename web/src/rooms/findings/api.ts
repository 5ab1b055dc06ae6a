import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { ask, part, queryText, send } from "@/api/client";
import type { FindingPage, FindingState, Fixed } from "@/api/types";

const below = (dataset: string) => `/datasets/${part(dataset)}`;

/** One page of the findings of a run. */
export const findings = (dataset: string, run: string, check: string, severity: string, page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "findings", run, check, severity, page),
    queryFn: () =>
      ask<FindingPage>(
        `${below(dataset)}/findings${queryText({ run, check, severity, offset: page * PAGE, limit: PAGE })}`,
      ),
    enabled: run !== "",
    placeholderData: keepPreviousData,
  });

export type Decision = { state: FindingState; note: string; assignee?: string | undefined; until?: string | undefined };

export const decide = (dataset: string, keys: string[], decision: Decision) =>
  send(`${below(dataset)}/finding-decisions`, { keys, ...decision });

/** Stage the repairs that these findings suggest. */
export const fix = (dataset: string, keys: string[]) => send<Fixed>(`${below(dataset)}/finding-fixes`, { keys });

/** Undo the newest fix. */
export const undoFix = (dataset: string) => send<Fixed>(`${below(dataset)}/finding-fixes/undo`, {});
