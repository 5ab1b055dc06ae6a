import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { ask, part, queryText, send } from "@/api/client";
import type { Checks } from "@/api/types";

const address = (dataset: string, ref: string) => `/datasets/${part(dataset)}/checks${queryText({ ref })}`;

/** The latest run of the checks on a state, its gates and objectives. */
export const checks = (dataset: string, ref: string) =>
  queryOptions({ queryKey: datasetKey(dataset, "checks", ref), queryFn: () => ask<Checks>(address(dataset, ref)) });

export const runChecks = (dataset: string, ref: string) => send<Checks>(address(dataset, ref));
