import { IconChecklist } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { ChecksPage } from "./page";
import { checksSearch } from "./search";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [createRoute({ ...inDataset("/checks"), validateSearch: checksSearch, component: ChecksPage })] as const;

export const places: readonly Place[] = [
  {
    title: "Checks", icon: IconChecklist, scope: "dataset", order: 30, keys: GO.checks,
    link: (dataset) => ({ to: "/d/$dataset/checks", params: { dataset } }),
  },
];
