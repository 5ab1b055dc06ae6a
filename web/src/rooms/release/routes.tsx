import { IconPackage } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { ReleasePage } from "./pages/release";
import { ReleasesPage } from "./pages/releases";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [
  createRoute({ ...inDataset("/releases"), component: ReleasesPage }),
  createRoute({ ...inDataset("/releases/$version"), component: ReleasePage }),
] as const;

export const places: readonly Place[] = [
  {
    title: "Releases", icon: IconPackage, scope: "dataset", order: 60, keys: GO.releases,
    link: (dataset) => ({ to: "/d/$dataset/releases", params: { dataset } }),
  },
];
