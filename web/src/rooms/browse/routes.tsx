import { IconLayoutGrid, IconListDetails } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { OverviewPage } from "./pages/overview";
import { SamplePage } from "./pages/sample";
import { SamplesOrView } from "./pages/saved_view";
import { gridSearch, sampleSearch } from "./search";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [
  createRoute({ ...inDataset("/"), component: OverviewPage }),
  createRoute({ ...inDataset("/samples"), validateSearch: gridSearch, component: SamplesOrView }),
  createRoute({ ...inDataset("/samples/$sample"), validateSearch: sampleSearch, component: SamplePage }),
] as const;

export const places: readonly Place[] = [
  {
    title: "Overview", icon: IconListDetails, scope: "dataset", order: 10, keys: GO.overview,
    link: (dataset) => ({ to: "/d/$dataset", params: { dataset }, activeOptions: { exact: true } }),
  },
  {
    title: "Samples", icon: IconLayoutGrid, scope: "dataset", order: 20, keys: GO.samples,
    link: (dataset) => ({ to: "/d/$dataset/samples", params: { dataset } }),
  },
];
