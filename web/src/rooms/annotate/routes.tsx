import { IconPencil } from "@tabler/icons-react";
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { GO } from "./keys";

export const workspaceRoutes = [
  createRoute({ ...inWorkspace("/annotate"), component: lazyRouteComponent(() => import("./pages/work"), "MyWorkPage") }),
  createRoute({ ...inWorkspace("/annotate/$assignment"), component: lazyRouteComponent(() => import("./pages/annotate"), "AnnotatePage") }),
] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [{ title: "Annotate", icon: IconPencil, scope: "top", order: 20, keys: GO.work, link: () => ({ to: "/annotate" }) }];
