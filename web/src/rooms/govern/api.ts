import { queryOptions } from "@tanstack/react-query";
import { ask, queryText } from "@/api/client";
import type { Audit } from "@/api/types_release";

/** The newest `limit` events of one dataset, or of all with "". */
export const audit = (dataset: string, limit: number) =>
  queryOptions({ queryKey: ["audit", dataset, limit], queryFn: () => ask<Audit>(`/audit${queryText({ dataset, limit })}`) });
