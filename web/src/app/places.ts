import * as rooms from "@/app/rooms";
import type { Session } from "@/api/schema.gen";
import type { Place } from "@/kit/rooms";

const isOfUse = (place: Place, session: Pick<Session, "accounts" | "may">): boolean =>
  (session.accounts || !place.withAccounts) && (!place.needs || session.may.includes(place.needs));

/** The places of one part of the sidebar, in order: of a session those that are of use to it, else all. */
export const placesOf = (scope: Place["scope"], session?: Pick<Session, "accounts" | "may">): Place[] =>
  Object.values(rooms)
    .flatMap((room): readonly Place[] => room.places)
    .filter((place) => place.scope === scope && (!session || isOfUse(place, session)))
    .sort((a, b) => a.order - b.order);
