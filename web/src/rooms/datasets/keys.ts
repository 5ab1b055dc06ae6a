import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of the list of datasets, and the key that leads there. */
export const GO = { datasets: "g d" } as const;

export const LIST_KEYS = {
  "list.next": { title: "Next dataset", group: "Page", keys: ["j", "ArrowDown"], quiet: true },
  "list.previous": { title: "Previous dataset", group: "Page", keys: ["k", "ArrowUp"], quiet: true },
  "list.samples": { title: "Samples of the selected dataset", group: "Page", keys: ["s"], quiet: true },
} satisfies Record<string, CommandLine>;
