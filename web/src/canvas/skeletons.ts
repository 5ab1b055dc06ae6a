import type { ClassCount } from "@/api/schema.gen";
import type { Skeletons } from "@/canvas/draw";

/** The lines between keypoints, by class id, as the ontology declares them (indices from 0). */
export function skeletonsOf(classes: readonly ClassCount[]): Skeletons {
  return new Map(classes.filter((one) => one.skeleton.length > 0).map((one) => [one.id, one.skeleton]));
}
