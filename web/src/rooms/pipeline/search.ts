import { text, type Raw } from "@/kit/search";

/** What the address of the runs holds: the dataset that they are limited to. */
export type RunsSearch = { dataset?: string | undefined };
export const runsSearch = (raw: Raw): RunsSearch => ({ dataset: text(raw, "dataset") });
