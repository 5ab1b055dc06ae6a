import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQueries, type UseQueryOptions } from "@tanstack/react-query";
import { PAGE } from "@/api/cache";
import type { GridSample, SamplePage } from "@/api/schema.gen";

/** The query of one page of samples, 100 a page. */
export type PageQuery = (page: number) => UseQueryOptions<SamplePage, Error, SamplePage, readonly unknown[]>;

/** The samples between two indices that have arrived; pages are asked for when scrolling comes to rest on them. */
export function usePages(query: PageQuery, from: number, to: number): Map<number, GridSample> {
  const [range] = useDebouncedValue(`${Math.floor(from / PAGE)} ${Math.floor(Math.max(0, to - 1) / PAGE)}`, 60);
  const [low = 0, high = 0] = range.split(" ").map(Number);
  const wanted = to > from ? Array.from({ length: Math.min(high - low + 1, 12) }, (_, n) => low + n) : [];
  return useQueries({
    queries: wanted.map((page) => ({ ...query(page), placeholderData: keepPreviousData })),
    combine: (pages) => {
      const items = new Map<number, GridSample>();
      for (const { data, isPlaceholderData } of pages) {
        if (data && !isPlaceholderData) data.items.forEach((item, n) => items.set(data.offset + n, item));
      }
      return items;
    },
  });
}
