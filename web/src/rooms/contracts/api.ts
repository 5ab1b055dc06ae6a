import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call } from "@/api/client";

export const contract = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "contract", ref),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/contract", { path: { dataset }, query: { ref } }),
  });
