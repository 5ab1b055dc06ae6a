import { IconUsersGroup } from "@tabler/icons-react";
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [
  createRoute({ ...inDataset("/batches"), component: lazyRouteComponent(() => import("./pages/batches"), "BatchesPage") }),
] as const;

export const places: readonly Place[] = [
  {
    title: "Labelling", icon: IconUsersGroup, scope: "dataset", order: 35, keys: GO.batches,
    link: (dataset) => ({ to: "/d/$dataset/batches", params: { dataset } }),
  },
];
