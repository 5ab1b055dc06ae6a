import { IconKey, IconUsers } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { AccountPage } from "./pages/account";
import { GO } from "./keys";
import { PeoplePage } from "./page";
import { DevicePage } from "./pages/device";
import { deviceSearch, peopleSearch } from "./search";

export const workspaceRoutes = [
  createRoute({ ...inWorkspace("/people"), validateSearch: peopleSearch, component: PeoplePage }),
  createRoute({ ...inWorkspace("/account"), component: AccountPage }),
  createRoute({ ...inWorkspace("/device"), validateSearch: deviceSearch, component: DevicePage }),
] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [
  { title: "People", icon: IconUsers, scope: "foot", order: 30, keys: GO.people, withAccounts: true, link: () => ({ to: "/people" }) },
  { title: "Account", icon: IconKey, scope: "foot", order: 40, keys: GO.account, withAccounts: true, link: () => ({ to: "/account" }) },
];
