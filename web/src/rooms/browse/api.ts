import { queryOptions } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { call } from "@/api/client";
import { quoted } from "@/api/where";
import type { Sort } from "./search";

/** The part of the address that decides which samples are asked for, and with which labels. */
export type View = { where?: string | undefined; sort?: Sort | undefined; labels?: string | undefined };

const viewed = (ref: string, { where, sort, labels }: View) => ({ ref, where, sort, label_set: labels });

export const overview = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "overview", ref),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}", { path: { dataset }, query: { ref } }),
  });

export const samplePage = (dataset: string, ref: string, view: View, page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "samples", ref, viewed("", view), page),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/samples", {
        path: { dataset }, query: { ...viewed(ref, view), offset: page * PAGE, limit: PAGE }, signal,
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

export const sample = (dataset: string, id: string, ref: string, view: View) =>
  queryOptions({
    queryKey: datasetKey(dataset, "sample", id, ref, viewed("", view)),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/samples/{sample_id}", {
        path: { dataset, sample_id: id }, query: viewed(ref, view), signal,
      }),
    retry: false,
  });
