import { text, type Raw } from "@/kit/search";

/** What the address of the people page holds: the address of the selected person. */
export type PeopleSearch = { who?: string | undefined };
export const peopleSearch = (raw: Raw): PeopleSearch => ({ who: text(raw, "who") });

/** What the address of the page for a program holds: the code that the program shows. */
export type DeviceSearch = { code?: string | undefined };
export const deviceSearch = (raw: Raw): DeviceSearch => ({ code: text(raw, "code") });
