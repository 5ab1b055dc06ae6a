import { queryOptions } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { call } from "@/api/client";
import { oneOfIds, quoted } from "@/api/where";
import { sampleSort, type ObjectSort } from "./search";

/** The part of the address that decides which samples are asked for, and with which labels. */
export type View = { show?: "objects" | undefined; of?: string | undefined; where?: string | undefined; sort?: ObjectSort | undefined; labels?: string | undefined; within?: string | undefined };

const viewed = (ref: string, { where, sort, labels, within }: View) => ({ ref, where, sort: sampleSort(sort), label_set: labels, within });
const viewedObjects = (ref: string, view: View) => ({ ...viewed(ref, view), sort: view.sort, class: view.of });

export const overview = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "overview", ref),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}", { path: { dataset }, query: { ref } }),
    // Counts that would take long are estimated first.
    refetchInterval: ({ state }) => (state.data?.approximate ? 2_000 : false),
  });

const samplesAt = (dataset: string, ref: string, view: View, page: number, signal: AbortSignal) =>
  call("get", "/api/v1/datasets/{dataset}/samples", { path: { dataset }, query: { ...viewed(ref, view), offset: page * PAGE, limit: PAGE }, signal });

export const samplePage = (dataset: string, ref: string, view: View, page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "samples", ref, viewed("", view), page),
    queryFn: ({ signal }) => samplesAt(dataset, ref, view, page, signal),
    gcTime: 60_000,
    retry: false,
  });

/** A page of samples, each with itself in another label set or state. */
export const pairPage = (dataset: string, ref: string, view: View, beside: { labels: string; ref: string }, page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "pairs", ref, viewed("", view), beside, page),
    queryFn: async ({ signal }) => {
      const shown = await samplesAt(dataset, ref, view, page, signal);
      if (shown.items.length === 0) return { ...shown, items: [] };
      const others = await call("get", "/api/v1/datasets/{dataset}/samples", {
        path: { dataset }, query: { ref: beside.ref, where: oneOfIds(shown.items.map((item) => item.id)), label_set: beside.labels, limit: PAGE }, signal,
      });
      const known = new Map(others.items.map((item) => [item.id, item]));
      return { ...shown, items: shown.items.map((item) => ({ ...item, beside: known.get(item.id) ?? null })) };
    },
    gcTime: 60_000,
    retry: false,
  });

export const objectPage = (dataset: string, ref: string, view: View, page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "objects", ref, viewedObjects("", view), page),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/objects", {
        path: { dataset }, query: { ...viewedObjects(ref, view), offset: page * PAGE, limit: PAGE }, signal,
      }),
    gcTime: 60_000,
    retry: false,
  });

/** A few samples whose name contains this text. */
export const samplesNamed = (dataset: string, ref: string, text: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "samples-named", ref, text),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/samples", {
        path: { dataset }, query: { ref, where: `name contains ${quoted(text)}`, limit: 8 }, signal,
      }),
    gcTime: 60_000,
    retry: false,
  });

/** A few samples that match a query, and how many do. */
export const examples = (dataset: string, ref: string, where: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "samples-like", ref, where),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/samples", { path: { dataset }, query: { ref, where: where || undefined, limit: 6 }, signal }),
    gcTime: 60_000,
    retry: false,
  });

/** The ids at some places of the list: of samples, or of objects where these are shown. */
export function idsAt(dataset: string, ref: string, view: View, offset: number, limit: number, signal?: AbortSignal) {
  const request = { path: { dataset }, query: { ...viewed(ref, view), offset, limit }, ...(signal ? { signal } : {}) };
  if (view.show !== "objects") return call("get", "/api/v1/datasets/{dataset}/sample-ids", request);
  return call("get", "/api/v1/datasets/{dataset}/object-ids", { ...request, query: { ...request.query, ...viewedObjects(ref, view) } });
}

/** Counts over the samples that match a query; asked again while they are estimated. */
export const facets = (dataset: string, ref: string, { where, labels, within }: View) =>
  queryOptions({
    queryKey: datasetKey(dataset, "facets", ref, where, labels, within),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/facets", { path: { dataset }, query: { ref, where, label_set: labels, within }, signal }),
    refetchInterval: ({ state }) => (state.data?.approximate ? 1_000 : false),
    retry: false,
  });

/** Values of a field that contain what is typed, to complete the query. */
export const fieldValues = (dataset: string, ref: string, field: string, typed: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "values", ref, field, typed),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/values", { path: { dataset }, query: { ref, field, typed, limit: 20 }, signal }),
    gcTime: 60_000,
    retry: false,
  });

/** Values of the query that no sample has. */
export const unknownValues = (dataset: string, ref: string, where: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "unknown-values", ref, where),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/unknown-values", { path: { dataset }, query: { ref, where }, signal }),
    gcTime: 60_000,
    retry: false,
  });

export const sample = (dataset: string, id: string, ref: string, view: View) =>
  queryOptions({
    queryKey: datasetKey(dataset, "sample", id, ref, viewed("", view)),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/samples/{sample_id}", {
        path: { dataset, sample_id: id }, query: viewed(ref, view), signal,
      }),
    retry: false,
  });

/** Who created and who last changed an annotation, or a sample and all its annotations. */
export const blame = (dataset: string, which: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "blame", which, ref),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/blame/{which}", { path: { dataset, which }, query: { ref }, signal }),
    retry: false,
  });

/** The models whose embeddings a dataset has. */
export const vectorModels = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "vectors"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/vectors", { path: { dataset } }),
    staleTime: 60_000,
  });

/** The samples that look most like one, by the embeddings of a model. */
export const similar = (dataset: string, to: string, model: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "similar", to, model),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/similar", { path: { dataset }, query: { to, model, limit: 8 }, signal }),
    retry: false,
  });

export const nearest = (dataset: string, to: string, model: string, limit: number) =>
  call("get", "/api/v1/datasets/{dataset}/similar", { path: { dataset }, query: { to, model, limit } });
