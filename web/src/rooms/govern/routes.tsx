import { IconShieldCheck } from "@tabler/icons-react";
import { createRoute } from "@tanstack/react-router";
import { inWorkspace, type Place } from "@/kit/rooms";
import { GO } from "./keys";
import { AuditPage } from "./page";
import { auditSearch } from "./search";

export const workspaceRoutes = [createRoute({ ...inWorkspace("/audit"), validateSearch: auditSearch, component: AuditPage })] as const;
export const datasetRoutes = [] as const;

export const places: readonly Place[] = [
  { title: "Audit", icon: IconShieldCheck, scope: "foot", order: 20, keys: GO.audit, needs: "audit.read", link: () => ({ to: "/audit" }) },
];
