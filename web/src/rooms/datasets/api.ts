import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/client";

export const datasets = () =>
  queryOptions({ queryKey: ["datasets"], queryFn: () => call("get", "/api/v1/datasets") });
