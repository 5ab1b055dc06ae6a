import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { Problem } from "@/api/client";
import { NotFound, PageFailed } from "@/app/states";
import { tree } from "@/app/tree";
import { parseSearch, stringifySearch } from "@/kit/search";

/** Retries only what a retry can help: never after the server has said what is wrong. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      const isRefused = error instanceof Problem && error.status === 401;
      if (isRefused && query.queryKey[0] !== "session") void queryClient.invalidateQueries({ queryKey: ["session"] });
    },
  }),
  mutationCache: new MutationCache({
    onError: (error) => {
      const hasEnded = error instanceof Problem && error.status === 401 && error.code === "not-signed-in";
      if (hasEnded) void queryClient.invalidateQueries({ queryKey: ["session"] });
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
