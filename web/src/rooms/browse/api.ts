import { queryOptions } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { ask, part, queryText } from "@/api/client";
import type { Overview, SampleDetail, SamplePage } from "@/api/types";

/** The part of the address that decides which samples are asked for, and with which labels. */
export type View = { where?: string | undefined; sort?: string | undefined; labels?: string | undefined };

const viewed = (ref: string, { where, sort, labels }: View) => ({ ref, where, sort, label_set: labels });

export const overview = (dataset: string, ref: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "overview", ref),
    queryFn: () => ask<Overview>(`/datasets/${part(dataset)}${queryText({ ref })}`),
  });

export const samplePage = (dataset: string, ref: string, view: View, page: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "samples", ref, viewed("", view), page),
    queryFn: ({ signal }) =>
      ask<SamplePage>(
        `/datasets/${part(dataset)}/samples${queryText({ ...viewed(ref, view), offset: page * PAGE, limit: PAGE })}`, { signal },
      ),
    gcTime: 60_000,
    retry: false,
  });

export const sample = (dataset: string, id: string, ref: string, view: View) =>
  queryOptions({
    queryKey: datasetKey(dataset, "sample", id, ref, viewed("", view)),
    queryFn: ({ signal }) =>
      ask<SampleDetail>(`/datasets/${part(dataset)}/samples/${part(id)}${queryText(viewed(ref, view))}`, { signal }),
    retry: false,
  });
