import { IconGitMerge, IconHistory } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inDataset, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { DiffPage } from "./pages/diff";
import { HistoryPage } from "./pages/history";
import { MergesPage } from "./pages/merges";
import { diffSearch, historySearch, mergeSearch } from "./search";

export const workspaceRoutes = [] as const;
export const datasetRoutes = [
  createRoute({ ...inDataset("/history"), validateSearch: historySearch, component: HistoryPage }),
  createRoute({ ...inDataset("/diff"), validateSearch: diffSearch, component: DiffPage }),
  createRoute({ ...inDataset("/merges"), validateSearch: mergeSearch, component: MergesPage }),
] as const;

export const places: readonly Place[] = [
  {
    title: "History", icon: IconHistory, scope: "dataset", order: 40, keys: GO.history,
    link: (dataset) => ({ to: "/d/$dataset/history", params: { dataset }, search: {} }),
  },
  {
    title: "Merges", icon: IconGitMerge, scope: "dataset", order: 50, keys: GO.merges,
    link: (dataset) => ({ to: "/d/$dataset/merges", params: { dataset }, search: {} }),
  },
];
