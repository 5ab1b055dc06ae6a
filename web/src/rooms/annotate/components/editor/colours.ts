import { classColour } from "@/canvas/colours";
import type { WorkClass } from "../session/types";

/** The colour of a class as the ontology has it; the palette's own where it has none that can be drawn. */
export const colourOfClass = (one: Pick<WorkClass, "id" | "colour">): string =>
  /^#[0-9a-f]{6}$/i.test(one.colour ?? "") ? one.colour.toLowerCase() : classColour(one.id);
