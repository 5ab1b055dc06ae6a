import { IconListCheck } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { FindingsPage } from "./page";
import { findingsSearch } from "./search";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [createRoute({ ...inDataset("/findings"), validateSearch: findingsSearch, component: FindingsPage })] as const;

export const places: readonly Place[] = [
  {
    title: "Findings", icon: IconListCheck, scope: "dataset", order: 31, keys: GO.findings,
    link: (dataset) => ({ to: "/d/$dataset/findings", params: { dataset } }),
  },
];
