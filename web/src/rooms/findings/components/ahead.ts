import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { mediaUrl } from "@/api/client";
import type { ListedFinding } from "@/api/schema.gen";
import { sample } from "@/rooms/browse/api";

const AHEAD = 3;

/** Loads the next findings before they are asked for, so that a key shows them at once. */
export function useAhead(dataset: string, refName: string, items: ReadonlyMap<number, ListedFinding>, at: number): void {
  const client = useQueryClient();
  useEffect(() => {
    const timer = setTimeout(() => {
      for (let place = at + 1; place <= at + AHEAD; place += 1) {
        const next = items.get(place)?.sample;
        if (!next) continue;
        void client.prefetchQuery({ ...sample(dataset, next.id, refName, {}), staleTime: 30_000 });
        new Image().src = mediaUrl(dataset, next.media);
      }
    }, 120);
    return () => clearTimeout(timer);
  }, [client, dataset, refName, items, at]);
}
