import { queryOptions } from "@tanstack/react-query";
import { call, callEvents } from "@/api/client";
import { Signal } from "@/kit/signal";

/** Runs of one dataset, or of all with "". */
export const runs = (dataset: string) =>
  queryOptions({
    queryKey: ["runs", dataset],
    queryFn: () => call("get", "/api/v1/runs", { query: { dataset: dataset || undefined } }),
    retry: false,
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: () => call("get", "/api/v1/runs/{run_id}", { path: { run_id: id } }),
    retry: false,
  });

const CURRENT = "/api/v1/runs/current";

/** The runs in progress. */
export const current = () => queryOptions({ queryKey: ["runs", "current"], queryFn: () => call("get", CURRENT), retry: false });

/** The runs in progress, again whenever they change. */
export const currentEvents = (signal: AbortSignal) => callEvents(CURRENT, { signal });

/** Whether a stream of events says what runs; the pages ask again and again only where it does not. */
export const isFollowed = new Signal(false);
export const pollMs = (isRunning: boolean): number | false => (isRunning && !isFollowed.get() ? 5_000 : false);
