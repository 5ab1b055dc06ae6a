import { IconChartDots3 } from "@tabler/icons-react";
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { mapSearch } from "./search";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [
  createRoute({ ...inDataset("/map"), validateSearch: mapSearch, component: lazyRouteComponent(() => import("./page"), "MapPage") }),
] as const;

export const places: readonly Place[] = [
  {
    title: "Map", icon: IconChartDots3, scope: "dataset", order: 25, keys: GO.map,
    link: (dataset) => ({ to: "/d/$dataset/map", params: { dataset } }),
  },
];
