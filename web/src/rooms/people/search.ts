import { oneOf, text, type Raw } from "@/kit/search";

/** What the address of the page for a program holds: the code that the program shows. */
export type DeviceSearch = { code?: string | undefined };
export const deviceSearch = (raw: Raw): DeviceSearch => ({ code: text(raw, "code") });

/** What the address of the people page holds: the address of the selected person, the id of a grant to point out, and a role to grant. */
export type PeopleSearch = { who?: string | undefined; grant?: string | undefined; role?: string | undefined; on?: string | undefined };
export const peopleSearch = (raw: Raw): PeopleSearch => ({ who: text(raw, "who"), grant: text(raw, "grant"), role: text(raw, "role"), on: text(raw, "on") });

/** Who can, or why somebody can or cannot. */
export const QUESTIONS = ["who", "why"] as const;

/** What the address of the access page holds: the question. Without `who` a question why is about oneself. */
export type AccessSearch = { ask?: (typeof QUESTIONS)[number] | undefined; who?: string | undefined; action?: string | undefined; on?: string | undefined };
export const accessSearch = (raw: Raw): AccessSearch => ({ ask: oneOf(raw, "ask", QUESTIONS), who: text(raw, "who"), action: text(raw, "action"), on: text(raw, "on") });

/** What the address of the access requests holds: what to ask for, as a refusal or an explanation has filled it in. */
export type RequestsSearch = { role?: string | undefined; action?: string | undefined; on?: string | undefined };
export const requestsSearch = (raw: Raw): RequestsSearch => ({ role: text(raw, "role"), action: text(raw, "action"), on: text(raw, "on") });

/** What the address of the access review holds: whether it shows what was kept. */
export type ReviewSearch = { kept?: "yes" | undefined };
export const reviewSearch = (raw: Raw): ReviewSearch => ({ kept: oneOf(raw, "kept", ["yes"]) });
