import * as rooms from "@/app/rooms";
import type { Place } from "@/kit/rooms";

/** The places of one part of the sidebar, in order; those of accounts only where the server has some. */
export const placesOf = (scope: Place["scope"], withAccounts = true): Place[] =>
  Object.values(rooms)
    .flatMap((room): readonly Place[] => room.places)
    .filter((place) => place.scope === scope && (withAccounts || !place.withAccounts))
    .sort((a, b) => a.order - b.order);
