import { QueryCache, QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { Problem } from "@/api/client";
import * as rooms from "@/app/rooms";
import { Shell } from "@/app/shell";
import { NotFound, PageFailed } from "@/app/states";
import { datasetRoute, rootRoute } from "@/kit/rooms";
import { parseSearch, stringifySearch } from "@/kit/search";

/** Retries only what a retry can help: never after the server has said what is wrong. */
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

const all = Object.values(rooms);
type WorkspaceRoute = (typeof all)[number]["workspaceRoutes"][number];
type DatasetRoute = (typeof all)[number]["datasetRoutes"][number];

rootRoute.update({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailed });

const tree = rootRoute.addChildren([
  ...all.flatMap((room): readonly WorkspaceRoute[] => room.workspaceRoutes),
  datasetRoute.addChildren(all.flatMap((room): readonly DatasetRoute[] => room.datasetRoutes)),
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
