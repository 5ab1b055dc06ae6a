import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { callBytes, call } from "@/api/client";
import type { NamedSelection, NewSelection } from "@/api/schema.gen";
import type { Cloud } from "@/canvas/scatter";
import { MAIN } from "@/kit/branch";

const working = (dataset: string, branch: string): string => (branch === MAIN ? dataset : `${dataset}@${branch}`);

/** Pick samples by a strategy; nothing is changed. */
export const pick = (dataset: string, branch: string, body: NewSelection) =>
  call("post", "/api/v1/datasets/{dataset}/selections", { path: { dataset: working(dataset, branch) }, body });

/** Pick the same samples, and tag them `picked:NAME`. */
export const tag = (dataset: string, branch: string, body: NamedSelection) =>
  call("post", "/api/v1/datasets/{dataset}/selections/tagged", { path: { dataset: working(dataset, branch) }, body });

/** The models whose vectors the dataset has. */
export const models = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "vector-models"),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/vectors", { path: { dataset }, signal }),
    retry: false,
  });

export const map = (dataset: string, ref: string, model: string, by: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "map", ref, model, by),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/map", { path: { dataset }, query: { ref, model, by }, signal }),
    retry: false,
    staleTime: 60_000,
  });

/** The points: all places, then a colour number for each. */
export const points = (dataset: string, ref: string, model: string, by: string, where: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "map-points", ref, model, by, where),
    queryFn: async ({ signal }): Promise<Cloud> => {
      const data = await callBytes("/api/v1/datasets/{dataset}/map/points", { path: { dataset }, query: { ref, model, by, where }, signal });
      const n = data.byteLength / 9;
      return { places: new Float32Array(data, 0, 2 * n), numbers: new Uint8Array(data, 8 * n, n) };
    },
    retry: false,
    staleTime: 60_000,
    gcTime: 60_000,
    structuralSharing: false,
  });

export const point = (dataset: string, ref: string, model: string, index: number) =>
  queryOptions({
    queryKey: datasetKey(dataset, "map-point", ref, model, index),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/map/points/{index}", { path: { dataset, index }, query: { ref, model }, signal }),
    retry: false,
  });
