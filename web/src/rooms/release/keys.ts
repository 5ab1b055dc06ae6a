import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of the releases, and the key that leads there. */
export const GO = { releases: "g r" } as const;

export const RELEASES_KEYS = { "release.make": { title: "New release", group: "Page", keys: ["n"] } } satisfies Record<string, CommandLine>;
