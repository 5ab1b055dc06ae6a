import { oneOf, text, type Raw } from "@/kit/search";

/** Ages of past states that can be shown. */
export const AGES = ["7d", "30d", "90d", "180d", "365d"] as const;

/** What the address of maturity holds: the dataset that is shown, and how long ago. */
export type MaturitySearch = { dataset?: string | undefined; at?: (typeof AGES)[number] | undefined };

export const maturitySearch = (raw: Raw): MaturitySearch => ({ dataset: text(raw, "dataset"), at: oneOf(raw, "at", AGES) });
