import { text, type Raw } from "@/kit/search";

/** What the address of the people page holds: the address of the selected person. */
export type PeopleSearch = { who?: string | undefined };
export const peopleSearch = (raw: Raw): PeopleSearch => ({ who: text(raw, "who") });
