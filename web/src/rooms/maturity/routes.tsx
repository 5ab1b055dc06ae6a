import { IconStairsUp } from "@tabler/icons-react";
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { maturitySearch } from "./search";

export const workspaceRoutes = [
  createRoute({ ...inWorkspace("/maturity"), validateSearch: maturitySearch, component: lazyRouteComponent(() => import("./page"), "MaturityPage") }),
] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [
  { title: "Maturity", icon: IconStairsUp, scope: "foot", order: 18, keys: GO.maturity, needs: "audit.read", link: () => ({ to: "/maturity" }) },
];
