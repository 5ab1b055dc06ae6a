import type { CommandLine } from "@/kit/commands";

/** The key that leads to the batches of a dataset. */
export const GO = { batches: "g b" } as const;

export const BATCHES_KEYS = { "batch.open": { title: "Open a batch", group: "Page", keys: ["n"] } } satisfies Record<string, CommandLine>;

/** Of one batch; the buttons beside it run them for that batch. */
export const BATCH_KEYS = {
  "batch.pause": { title: "Pause the batch", group: "Page", quiet: true },
  "batch.resume": { title: "Resume the batch", group: "Page", quiet: true },
  "batch.land": { title: "Commit the accepted work to the branch of the batch", group: "Page", quiet: true },
  "batch.close": { title: "Land what is accepted, and close the batch", group: "Page", quiet: true },
} satisfies Record<string, CommandLine>;

export const REVIEWS_KEYS = {
  "reviews.accept": { title: "Accept where the copies agree by 80 % or more", group: "Page", quiet: true },
} satisfies Record<string, CommandLine>;
