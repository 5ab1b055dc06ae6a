import * as rooms from "@/app/rooms";
import { datasetRoute, rootRoute } from "@/kit/rooms";

const all = Object.values(rooms);
type WorkspaceRoute = (typeof all)[number]["workspaceRoutes"][number];
type DatasetRoute = (typeof all)[number]["datasetRoutes"][number];

/** The routes of all rooms. */
export const tree = rootRoute.addChildren([
  ...all.flatMap((room): readonly WorkspaceRoute[] => room.workspaceRoutes),
  datasetRoute.addChildren(all.flatMap((room): readonly DatasetRoute[] => room.datasetRoutes)),
]);
