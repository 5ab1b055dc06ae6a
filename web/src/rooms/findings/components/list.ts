import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { PAGE } from "@/api/cache";
import type { ListedFinding } from "@/api/schema.gen";
import * as api from "../api";

/** The pages of the list around the screen, as places; pages before and after them are asked for ahead. */
export function useList(dataset: string, list: api.List, by: string, at: number) {
  const client = useQueryClient();
  const [range, setRange] = useState<[number, number]>([at, at]);
  const pagesOf = (low: number, high: number) => {
    const first = Math.max(0, Math.floor((low - 10) / PAGE));
    return Array.from({ length: Math.min(6, Math.floor((high + 10) / PAGE) - first + 1) }, (_, n) => first + n);
  };
  const wanted = [...new Set([...pagesOf(range[0], range[1]), ...pagesOf(at, at)])];
  const queries = useQueries({ queries: wanted.map((page) => api.listPage(dataset, list, by, page)) });
  const grouped = useQuery(api.groups(dataset, list, by));
  const datas = queries.map((query) => query.data);
  const known = datas.find(Boolean);
  const items = useMemo(() => {
    const places = new Map<number, ListedFinding>();
    for (const page of datas) page?.items.forEach((item, n) => places.set(page.offset + n, item));
    return places;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, datas);
  /** Keys of a range, also of rows that were never on the screen. */
  const keysBetween = async (first: number, last: number): Promise<string[]> => {
    const keys: string[] = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) {
      const { items: rows, offset } = await client.ensureQueryData(api.listPage(dataset, list, by, page));
      rows.forEach((row, n) => offset + n >= first && offset + n <= last && keys.push(row.key));
    }
    return keys;
  };
  /** The pages that were read before the list had a moment are those of that moment. */
  const keep = (as_of: number) => {
    for (const [n, page] of wanted.entries()) {
      if (datas[n]) client.setQueryData(api.listPage(dataset, { ...list, as_of }, by, page).queryKey, datas[n]);
    }
    if (grouped.data) client.setQueryData(api.groups(dataset, { ...list, as_of }, by).queryKey, grouped.data);
  };
  return {
    items, keep, keysBetween, setRange, asOf: known?.as_of, total: known?.total ?? 0, isKnown: known !== undefined,
    groups: grouped.data?.groups ?? [], error: queries.find((query) => query.error)?.error ?? grouped.error ?? null,
    isWaiting: list.run !== "" && known === undefined && !queries.some((query) => query.error),
  };
}
