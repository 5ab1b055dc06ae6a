import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call } from "@/api/client";
import type { BatchBody } from "@/api/schema.gen";

export type Step = "pause" | "resume" | "land" | "close";

/** The batches of a dataset, the most urgent first. */
export const batches = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "batches"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/batches", { path: { dataset } }),
    refetchInterval: 10_000,
    retry: false,
  });

/** How the work of each person in a batch fared, and what became of prelabels. */
export const figures = (dataset: string, batch: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "batches", batch, "figures"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/batches/{batch}/figures", { path: { dataset, batch } }),
    retry: false,
  });

/** The samples that wait for a review, the longest first. */
export const reviews = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "reviews"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/reviews", { path: { dataset } }),
    refetchInterval: 10_000,
    retry: false,
  });

/** The questions of annotators, the open ones first. */
export const questions = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "questions"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/questions", { path: { dataset } }),
    retry: false,
  });

export const open = (dataset: string, body: BatchBody) => call("post", "/api/v1/datasets/{dataset}/batches", { path: { dataset }, body });
export const pause = (dataset: string, batch: string) => call("post", "/api/v1/datasets/{dataset}/batches/{batch}/pause", { path: { dataset, batch } });
export const resume = (dataset: string, batch: string) => call("post", "/api/v1/datasets/{dataset}/batches/{batch}/resume", { path: { dataset, batch } });
export const land = (dataset: string, batch: string) => call("post", "/api/v1/datasets/{dataset}/batches/{batch}/land", { path: { dataset, batch } });
export const close = (dataset: string, batch: string) => call("post", "/api/v1/datasets/{dataset}/batches/{batch}/close", { path: { dataset, batch } });

/** Accept submitted samples of a batch whose copies agree at least so far. */
export const accept = (dataset: string, agreement: number) =>
  call("post", "/api/v1/datasets/{dataset}/reviews/accept", { path: { dataset }, body: { agreement } });

export const answer = (thread: string, text: string) => call("post", "/api/v1/threads/{thread}/answers", { path: { thread }, body: { text } });
