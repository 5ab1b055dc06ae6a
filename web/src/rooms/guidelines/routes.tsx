import { IconBook } from "@tabler/icons-react";
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { guidelineSearch } from "./search";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [
  createRoute({ ...inDataset("/guideline"), validateSearch: guidelineSearch, component: lazyRouteComponent(() => import("./page"), "GuidelinePage") }),
] as const;

export const places: readonly Place[] = [
  {
    title: "Guideline", icon: IconBook, scope: "dataset", order: 28, keys: GO.guideline,
    link: (dataset) => ({ to: "/d/$dataset/guideline", params: { dataset } }),
  },
];
