import type { QueryClient } from "@tanstack/react-query";

/** Rows of one page of a long list. */
export const PAGE = 100;

/** Keys of queries about one dataset begin with this, so that a change of it reloads them all. */
export const datasetKey = (dataset: string, ...rest: unknown[]): readonly unknown[] => ["d", dataset, ...rest];

/**
 * Reload what is shown of a dataset that has changed, and the list of datasets. The list of edits comes after the annotations:
 * whoever sees that an edit was undone, and goes on at once, must not edit what stood there before.
 */
export async function datasetChanged(client: QueryClient, dataset: string): Promise<void> {
  await client.invalidateQueries({ queryKey: datasetKey(dataset), predicate: ({ queryKey }) => queryKey[2] !== "edits" });
  await client.invalidateQueries({ queryKey: datasetKey(dataset, "edits") });
  await client.invalidateQueries({ queryKey: ["datasets"] });
}
