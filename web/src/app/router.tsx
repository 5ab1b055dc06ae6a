import { QueryCache, QueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, retainSearchParams } from "@tanstack/react-router";
import { Problem } from "@/api/client";
import { checksSearch, datasetFilter, diffSearch, gridSearch, mergeSearch, parseSearch, refSearch, sampleSearch, stringifySearch } from "@/app/search";
import { Shell } from "@/app/shell";
import { NotFound, PageFailed } from "@/app/states";
import { AuditPage } from "@/rooms/audit/page";
import { ChecksPage } from "@/rooms/checks/page";
import { DatasetsPage } from "@/rooms/datasets/list";
import { OverviewPage } from "@/rooms/datasets/overview";
import { DiffPage } from "@/rooms/history/diff";
import { HistoryPage } from "@/rooms/history/page";
import { MergesPage } from "@/rooms/merges/page";
import { ReleasePage } from "@/rooms/releases/card";
import { ReleasesPage } from "@/rooms/releases/list";
import { RunPage } from "@/rooms/runs/one";
import { RunsPage } from "@/rooms/runs/list";
import { SamplesPage } from "@/rooms/samples/page";
import { SamplePage } from "@/rooms/samples/sample";

/** Asked again where trying again can help: never after the server has said what is wrong. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      const isRefused = error instanceof Problem && error.status === 401;
      if (isRefused && query.queryKey[0] !== "session") void queryClient.invalidateQueries({ queryKey: ["session"] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < 2 && (!(error instanceof Problem) || error.status >= 502),
    },
  },
});

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailed });
const on = <P extends string>(path: P) => ({ getParentRoute: () => root, path });

const home = createRoute({ ...on("/"), component: DatasetsPage });
const runs = createRoute({ ...on("/runs"), validateSearch: datasetFilter, component: RunsPage });
const run = createRoute({ ...on("/runs/$run"), component: RunPage });
const audit = createRoute({ ...on("/audit"), validateSearch: datasetFilter, component: AuditPage });

const dataset = createRoute({
  ...on("/d/$dataset"),
  validateSearch: refSearch,
  search: { middlewares: [retainSearchParams(["ref"])] },
});
const inside = <P extends string>(path: P) => ({ getParentRoute: () => dataset, path });

const overview = createRoute({ ...inside("/"), component: OverviewPage });
const samples = createRoute({ ...inside("/samples"), validateSearch: gridSearch, component: SamplesPage });
const sample = createRoute({ ...inside("/samples/$sample"), validateSearch: sampleSearch, component: SamplePage });
const checks = createRoute({ ...inside("/checks"), validateSearch: checksSearch, component: ChecksPage });
const history = createRoute({ ...inside("/history"), component: HistoryPage });
const diff = createRoute({ ...inside("/diff"), validateSearch: diffSearch, component: DiffPage });
const merges = createRoute({ ...inside("/merges"), validateSearch: mergeSearch, component: MergesPage });
const releases = createRoute({ ...inside("/releases"), component: ReleasesPage });
const release = createRoute({ ...inside("/releases/$version"), component: ReleasePage });

const tree = root.addChildren([
  home, runs, run, audit,
  dataset.addChildren([overview, samples, sample, checks, history, diff, merges, releases, release]),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  defaultPreload: false,
  defaultErrorComponent: PageFailed,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
