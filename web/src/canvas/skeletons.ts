import type { ClassRow } from "@/api/types";
import type { Skeletons } from "@/canvas/draw";

/** The lines between keypoints, by class id, as the ontology declares them (indices from 0). */
export function skeletonsOf(classes: readonly ClassRow[]): Skeletons {
  return new Map(classes.filter((one) => one.skeleton.length > 0).map((one) => [one.id, one.skeleton]));
}
