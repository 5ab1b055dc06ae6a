import { useDocumentVisibility } from "@mantine/hooks";
import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { follow } from "@/api/events";
import type { CurrentRuns, Run } from "@/api/schema.gen";
import { useSignal } from "@/kit/signal";
import { current, currentEvents, isFollowed, pollMs, run } from "../api";

const SELDOM_MS = 15_000;

/**
 * The runs in progress, newest first, by a stream of events, or by asking now and then while there is none. A page that is not
 * in sight holds no stream: a browser has few connections to one server. What other pages show of runs is kept up to date.
 */
export function useCurrentRuns(): readonly Run[] {
  const client = useQueryClient();
  const isSeen = useDocumentVisibility() !== "hidden";
  const isLive = useSignal(isFollowed);
  const { data } = useQuery({
    ...current(), refetchInterval: ({ state }) => (isLive ? false : pollMs((state.data?.items.length ?? 0) > 0) || SELDOM_MS),
  });
  useEffect(() => {
    if (!isSeen) return;
    const stop = new AbortController();
    const onValue = (value: CurrentRuns) => {
      isFollowed.set(true);
      client.setQueryData(current().queryKey, value);
    };
    void follow({ open: currentEvents, onValue, onBroken: () => isFollowed.set(false), signal: stop.signal });
    return () => {
      stop.abort();
      isFollowed.set(false);
    };
  }, [client, isSeen]);
  const before = useRef<CurrentRuns>(undefined);
  useEffect(() => {
    if (data) spread(client, before.current, data);
    before.current = data;
  }, [client, data]);
  return data?.items ?? [];
}

/** Hand what changed to the queries of the pages. */
function spread(client: QueryClient, before: CurrentRuns | undefined, now: CurrentRuns): void {
  for (const one of now.items) client.setQueryData(run(one.id).queryKey, one);
  if (!before || state(before) === state(now)) return;
  const going = new Set(now.items.map(({ id }) => id));
  for (const { id } of before.items) if (!going.has(id)) void client.invalidateQueries({ queryKey: run(id).queryKey });
  void client.invalidateQueries({ queryKey: ["runs"], predicate: ({ queryKey }) => queryKey[1] !== "current" });
  void client.invalidateQueries({ queryKey: ["datasets"] });
}

/** Which runs go on, and how the latest one stands. */
const state = ({ items, latest }: CurrentRuns): string => [latest?.id, latest?.state, ...items.map(({ id }) => id)].join(" ");
