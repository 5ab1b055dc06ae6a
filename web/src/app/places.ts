import * as rooms from "@/app/rooms";
import type { Place } from "@/kit/rooms";

/** The places of one part of the sidebar, in order. */
export const placesOf = (scope: Place["scope"]): Place[] =>
  Object.values(rooms)
    .flatMap((room): readonly Place[] => room.places)
    .filter((place) => place.scope === scope)
    .sort((a, b) => a.order - b.order);
