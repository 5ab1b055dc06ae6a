import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQueries, type UseQueryOptions } from "@tanstack/react-query";
import { PAGE } from "@/api/cache";

/** A part of a list. */
type Part<T> = { commit: string | null; total: number; offset: number; items: T[] };

/** The query of one page of a list, 100 a page. */
export type PageQuery<T> = (page: number) => UseQueryOptions<Part<T>, Error, Part<T>, readonly unknown[]>;

/** What is listed between two indices that have arrived; pages are asked for when scrolling comes to rest on them. */
export function usePages<T>(query: PageQuery<T>, from: number, to: number): Map<number, T> {
  const [range] = useDebouncedValue(`${Math.floor(from / PAGE)} ${Math.floor(Math.max(0, to - 1) / PAGE)}`, 60);
  const [low = 0, high = 0] = range.split(" ").map(Number);
  const wanted = to > from ? Array.from({ length: Math.min(high - low + 1, 12) }, (_, n) => low + n) : [];
  return useQueries({
    queries: wanted.map((page) => ({ ...query(page), placeholderData: keepPreviousData })) as UseQueryOptions<Part<T>, Error, Part<T>, readonly unknown[]>[],
    combine: (pages) => {
      const items = new Map<number, T>();
      for (const { data, isPlaceholderData } of pages) {
        if (data && !isPlaceholderData) data.items.forEach((item, n) => items.set(data.offset + n, item));
      }
      return items;
    },
  });
}
