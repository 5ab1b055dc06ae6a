import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/client";

/** The assessments of all datasets, now or at a time. */
export const maturity = (at: string | undefined) =>
  queryOptions({ queryKey: ["maturity", at ?? ""], queryFn: () => call("get", "/api/v1/maturity", { query: at ? { at } : {} }) });
