import { IconHome } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { DatasetsPage } from "./page";

export const workspaceRoutes = [createRoute({ ...inWorkspace("/"), component: DatasetsPage })] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [
  { title: "Home", icon: IconHome, scope: "top", order: 10, keys: GO.datasets, link: () => ({ to: "/", activeOptions: { exact: true } }) },
];
