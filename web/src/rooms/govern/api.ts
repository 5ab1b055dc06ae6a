import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/client";

/** The newest `limit` events of one dataset, or of all with "". */
export const audit = (dataset: string, limit: number) =>
  queryOptions({
    queryKey: ["audit", dataset, limit],
    queryFn: () => call("get", "/api/v1/audit", { query: { dataset: dataset || undefined, limit } }),
  });
