import { queryOptions } from "@tanstack/react-query";
import { API, call } from "@/api/client";
import { stringifySearch } from "@/kit/search";
import type { AuditSearch } from "./search";

const wanted = ({ event, ...search }: AuditSearch) => ({ ...search, seq: event });

/** The newest `limit` events that the address asks for. */
export const audit = (search: AuditSearch, limit: number) =>
  queryOptions({
    queryKey: ["audit", search, limit],
    queryFn: () => call("get", "/api/v1/audit", { query: { ...wanted(search), limit } }),
  });

/** Where the same events are downloaded as JSON lines. */
export const exportUrl = (search: AuditSearch): string => `${API}/audit/export${stringifySearch(wanted(search))}`;

export const signCheckpoint = () => call("post", "/api/v1/audit/checkpoints");
export const verify = () => call("get", "/api/v1/audit/verification");
