import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of the checks page, and the key that leads there. */
export const GO = { checks: "g c" } as const;

export const CHECKS_KEYS = { "checks.run": { title: "Run the checks", group: "Page", keys: ["r"] } } satisfies Record<string, CommandLine>;
