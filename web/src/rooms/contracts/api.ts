import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { ask, part, queryText } from "@/api/client";
import type { Contract } from "@/api/types";

export const contract = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "contract", ref),
    queryFn: () => ask<Contract>(`/datasets/${part(dataset)}/contract${queryText({ ref })}`),
  });
