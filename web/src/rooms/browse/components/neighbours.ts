import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { PAGE } from "@/api/cache";
import { mediaUrl, thumbUrl } from "@/api/client";
import type { GridObject, ListedFinding, SampleDetail } from "@/api/schema.gen";
import * as findings from "@/rooms/findings/api";
import * as versions from "@/rooms/versions/api";
import * as api from "../api";
import type { SampleSearch } from "../search";

/** A sample of the list that one came from, and what the address says there. */
export type Stop = { sample: string; search: SampleSearch };
export type Neighbours = { index: number; total: number; previous: Stop | null; next: Stop | null };

type Here = { dataset: string; ref: string; id: string; search: SampleSearch; position: SampleDetail["position"] };

/** Where a sample is in the list that it was opened from: the grid, objects, the findings of a run, or a diff. */
export function useNeighbours(here: Here): Neighbours | null {
  const inFindings = useFindings(here);
  const inDiff = useDiff(here);
  const inObjects = useObjects(here);
  const place = inFindings ?? inDiff ?? inObjects ?? inGrid(here);
  usePrefetch(here, place);
  return place;
}

function inGrid({ search, position }: Here): Neighbours | null {
  if (!position) return null;
  const stop = (sample: string | null, by: number): Stop | null => sample === null ? null : { sample, search: { ...search, ann: undefined, at: position.index + by } };
  return { index: position.index, total: position.total, previous: stop(position.previous, -1), next: stop(position.next, 1) };
}

function useFindings({ dataset, search }: Here): Neighbours | null {
  const { from, run, at, group = "", where, check, class: name, fault, severity, shown, assignee, as_of } = search;
  const list = { run: run ?? "", where, check, class: name, fault, severity, shown, assignee, as_of };
  const isFrom = from === "checks" && run !== undefined && at !== undefined;
  const around = isFrom ? [...new Set([at - 1, at, at + 1].map((n) => Math.floor(Math.max(0, n) / PAGE)))] : [];
  const pages = useQueries({ queries: around.map((page) => findings.listPage(dataset, list, group, page)) });
  if (!isFrom) return null;
  const total = pages.find((page) => page.data)?.data?.total;
  if (total === undefined) return null;
  const items = new Map<number, ListedFinding>();
  for (const { data } of pages) data?.items.forEach((item, n) => items.set(data.offset + n, item));
  const stop = (by: 1 | -1): Stop | null => {
    // A finding on the whole dataset has no sample to go to.
    for (let n = at + by; items.has(n); n += by) {
      const item = items.get(n);
      if (item?.sample) return { sample: item.sample.id, search: { ...search, at: n, ann: item.annotation ?? undefined, labels: item.label_set ?? search.labels } };
    }
    return null;
  };
  return { index: at, total, previous: stop(-1), next: stop(1) };
}

function useObjects({ dataset, ref, search }: Here): Neighbours | null {
  const { from, at } = search;
  const isFrom = from === "objects" && at !== undefined;
  const around = isFrom ? [...new Set([at - 1, at, at + 1].map((n) => Math.floor(Math.max(0, n) / PAGE)))] : [];
  const pages = useQueries({ queries: around.map((page) => ({ ...api.objectPage(dataset, ref, search, page), staleTime: 30_000 })) });
  const total = pages.find((page) => page.data)?.data?.total;
  if (!isFrom || total === undefined) return null;
  const items = new Map<number, GridObject>();
  for (const { data } of pages) data?.items.forEach((item, n) => items.set(data.offset + n, item));
  const stop = (by: 1 | -1): Stop | null => {
    const item = items.get(at + by);
    return item ? { sample: item.sample.id, search: { ...search, at: at + by, ann: item.id } } : null;
  };
  return { index: at, total, previous: stop(-1), next: stop(1) };
}

function useDiff({ dataset, id, search }: Here): Neighbours | null {
  const { from, a = "", b = "" } = search;
  const isFrom = from === "diff" && a !== "";
  const compared = (one: string | null | undefined) => ({ ...versions.compared(dataset, a, b, search, one ?? ""), enabled: isFrom && Boolean(one), staleTime: 30_000 });
  const position = useQuery(compared(id)).data?.position;
  const next = useQuery(compared(position?.next)).data;
  const previous = useQuery(compared(position?.previous)).data;
  if (!isFrom || !position) return null;
  // A removed sample is only in the earlier state.
  const stop = (one: typeof next): Stop | null => (one ? { sample: one.id, search: { ...search, ann: undefined, ref: (one.after ? b : a) || undefined } } : null);
  return { index: position.index, total: position.total, previous: stop(previous), next: stop(next) };
}

/** Have the data and the images of the neighbours before they are asked for. */
function usePrefetch({ dataset, ref, search }: Here, place: Neighbours | null): void {
  const client = useQueryClient();
  const [next, previous] = [place?.next, place?.previous];
  useEffect(() => {
    for (const stop of [next, previous]) {
      if (!stop) continue;
      const query = api.sample(dataset, stop.sample, stop.search.ref ?? ref, stop.search);
      void client.prefetchQuery({ ...query, staleTime: 30_000 }).then(() => {
        const media = client.getQueryData(query.queryKey)?.media;
        if (!media) return;
        new Image().src = mediaUrl(dataset, media);
        new Image().src = thumbUrl(dataset, media, 256);
      });
    }
    // The stops are made at every render; what they lead to is what matters.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, dataset, ref, search.where, search.sort, next?.sample, previous?.sample]);
}
