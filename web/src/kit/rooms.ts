import type { TablerIcon } from "@tabler/icons-react";
import { createRootRoute, createRoute, retainSearchParams, type LinkProps } from "@tanstack/react-router";
import type { Session } from "@/api/schema.gen";
import { Root } from "@/kit/frame";
import { refSearch } from "@/kit/search";

/**
 * What a room's `routes.tsx` is made of. It exports three lists: `workspaceRoutes` (below `/`), `datasetRoutes` (below
 * `/d/$dataset`) and `places` (entries of the sidebar and the palette). `app/rooms.ts` lists the rooms.
 */
export const rootRoute = createRootRoute({ component: Root });

export const datasetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/d/$dataset",
  validateSearch: refSearch,
  search: { middlewares: [retainSearchParams(["ref"])] },
});

/** Options of a page below `/`. */
export const inWorkspace = <P extends string>(path: P) => ({ getParentRoute: () => rootRoute, path });

/** Options of a page below `/d/$dataset`. */
export const inDataset = <P extends string>(path: P) => ({ getParentRoute: () => datasetRoute, path });

/** A page that the sidebar and the palette lead to. */
export type Place = {
  title: string;
  icon: TablerIcon;
  /** Where the sidebar shows it: above the datasets, below the open dataset, or at the foot. */
  scope: "top" | "dataset" | "foot";
  /** Places of a scope stand in this order. */
  order: number;
  /** The key sequence that goes there. */
  keys?: string;
  /** Only where people sign in with accounts of their own. */
  withAccounts?: boolean;
  /** Only for those whose session may do this. */
  needs?: Session["may"][number];
  /** A hook: how many things wait there; the sidebar shows it beside the title. */
  useCount?: () => number;
  /** `dataset` is "" outside of a dataset. */
  link: (dataset: string) => LinkProps;
};
