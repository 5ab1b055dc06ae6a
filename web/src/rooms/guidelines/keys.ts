import type { CommandLine } from "@/kit/commands";

/** The key that leads to the guideline, and the commands there. */
export const GO = { guideline: "g i" } as const;

export const GUIDELINE_KEYS = {
  "guideline.acknowledge": { title: "Acknowledge the newest version", group: "Page", keys: ["a"] },
  "guideline.older": { title: "Older version", group: "Page", keys: ["j"] },
  "guideline.newer": { title: "Newer version", group: "Page", keys: ["k"] },
} satisfies Record<string, CommandLine>;
