import { IconRoute } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { RunPage } from "./pages/run";
import { RunsPage } from "./pages/runs";
import { runsSearch } from "./search";

export const workspaceRoutes = [
  createRoute({ ...inWorkspace("/runs"), validateSearch: runsSearch, component: RunsPage }),
  createRoute({ ...inWorkspace("/runs/$run"), component: RunPage }),
] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [
  { title: "Runs", icon: IconRoute, scope: "dataset", order: 70, link: (dataset) => ({ to: "/runs", search: { dataset } }) },
  { title: "Runs", icon: IconRoute, scope: "foot", order: 10, keys: GO.runs, link: () => ({ to: "/runs" }) },
];
