import { whole, type Raw } from "@/kit/search";

/** The version that is shown; absent for the newest published one. */
export type GuidelineSearch = { version?: number | undefined };
export const guidelineSearch = (raw: Raw): GuidelineSearch => ({ version: whole(raw, "version", 1, 1e9) });
