import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import type { DatasetRow } from "@/api/types";

export const datasets = () =>
  queryOptions({ queryKey: ["datasets"], queryFn: () => ask<{ items: DatasetRow[] }>("/datasets") });
