import { IconKey, IconLockAccess, IconUsers } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { AccountPage } from "./pages/account";
import { AccessPage } from "./pages/access";
import { RequestsPage, useWaiting } from "./pages/requests";
import { ReviewPage } from "./pages/review";
import { GO } from "./keys";
import { PeoplePage } from "./page";
import { DevicePage } from "./pages/device";
import { accessSearch, deviceSearch, peopleSearch, requestsSearch, reviewSearch } from "./search";

export const workspaceRoutes = [
  createRoute({ ...inWorkspace("/people"), validateSearch: peopleSearch, component: PeoplePage }),
  createRoute({ ...inWorkspace("/access"), validateSearch: accessSearch, component: AccessPage }),
  createRoute({ ...inWorkspace("/access/requests"), validateSearch: requestsSearch, component: RequestsPage }),
  createRoute({ ...inWorkspace("/access/review"), validateSearch: reviewSearch, component: ReviewPage }),
  createRoute({ ...inWorkspace("/account"), component: AccountPage }),
  createRoute({ ...inWorkspace("/device"), validateSearch: deviceSearch, component: DevicePage }),
] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [
  { title: "People", icon: IconUsers, scope: "foot", order: 30, keys: GO.people, withAccounts: true, needs: "people.read", link: () => ({ to: "/people" }) },
  { title: "Access", icon: IconLockAccess, scope: "foot", order: 35, keys: GO.access, withAccounts: true, useCount: useWaiting, link: () => ({ to: "/access" }) },
  { title: "Account", icon: IconKey, scope: "foot", order: 40, keys: GO.account, withAccounts: true, link: () => ({ to: "/account" }) },
];
