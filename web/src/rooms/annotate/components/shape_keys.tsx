import type { FullAnnotation } from "@/api/schema.gen";
import { handlesOf, type Handle } from "@/canvas/handles";
import { dragged, moved, withVisibility, withoutVertex, type Bounds } from "@/canvas/reshape";
import { turned } from "@/canvas/turned";
import { useCommands } from "@/kit/commands";
import { KEYPOINT_KEYS, NUDGE_KEYS, SHAPE_KEYS, TURN_KEYS } from "../keys";
import { nextVisibility } from "./keypoints";
import { setShape } from "./changes";
import type { Editing } from "./use_editing";

type Props = { a: FullAnnotation; image: Bounds; active: number | null; onActive: (at: number | null) => void; editing: Editing };

const isStop = (handle: Handle | undefined) => handle !== undefined && handle.what !== "middle";

/** Keys that walk through the handles of a shape and put new vertices between them. */
export function ShapeKeys({ a, image, active, onActive, editing }: Props) {
  const handles = handlesOf(a);
  const points = handles.flatMap((handle, at) => (isStop(handle) ? [at] : []));
  const walk = (by: number) => {
    if (points.length === 0) return;
    const at = active === null ? -1 : points.indexOf(active);
    onActive(points[(at + by + points.length + (at < 0 && by < 0 ? 1 : 0)) % points.length] ?? null);
  };
  useCommands(SHAPE_KEYS, {
    "edit.vertex": () => walk(1),
    "edit.vertex-before": () => walk(-1),
    "edit.insert": () => {
      const from = active === null ? undefined : handles[active];
      const middle = handles.find((one) => one.what === "middle" && from?.what === "vertex" && one.ring === from.ring && one.at === from.at);
      if (!middle) return;
      const next = dragged(a, middle, middle.x, middle.y, image);
      editing.stage(setShape(a, next));
      const added = handlesOf(next).findIndex((one) => one.what === "vertex" && middle.what === "middle" && one.ring === middle.ring && one.at === middle.at + 1);
      onActive(added < 0 ? null : added);
    },
  });
  return null;
}

/** Keys that turn a rotated box or an ellipse. */
export function TurnKeys({ a, editing }: Pick<Props, "a" | "editing">) {
  const turn = (degrees: number) => () => editing.stage(setShape(a, turned(a, degrees)), { later: true });
  useCommands(TURN_KEYS, { "edit.turn": turn(1), "edit.turn-back": turn(-1), "edit.turn-far": turn(15), "edit.turn-back-far": turn(-15) });
  return null;
}

/** The key that sets the visibility of the active keypoint. */
export function KeypointKeys({ a, active, onActive, editing }: Omit<Props, "image">) {
  useCommands(KEYPOINT_KEYS, {
    "edit.visibility": () => {
      const handle = active === null ? undefined : handlesOf(a)[active];
      if (handle?.what !== "keypoint") return;
      const to = nextVisibility(a, handle.at);
      editing.stage(setShape(a, withVisibility(a, handle.at, to)));
      if (to === 0) onActive(null);
    },
  });
  return null;
}

/** The arrow keys move the annotation, or its active point, by pixels of the image. */
export function NudgeKeys({ a, image, active, editing }: Omit<Props, "onActive">) {
  const nudge = (dx: number, dy: number) => () => {
    const handle = active === null ? undefined : handlesOf(a)[active];
    const next = handle ? dragged(a, handle, handle.x + dx, handle.y + dy, image) : moved(a, dx, dy, image);
    editing.stage(setShape(a, next), { later: true });
  };
  useCommands(NUDGE_KEYS, {
    "edit.left": nudge(-1, 0), "edit.right": nudge(1, 0), "edit.up": nudge(0, -1), "edit.down": nudge(0, 1),
    "edit.left-far": nudge(-10, 0), "edit.right-far": nudge(10, 0), "edit.up-far": nudge(0, -10), "edit.down-far": nudge(0, 10),
  });
  return null;
}

/** Whether a point is active that can be deleted by itself. */
export function hasActivePoint(a: FullAnnotation, active: number | null): boolean {
  const handle = active === null ? undefined : handlesOf(a)[active];
  return handle?.what === "vertex" || handle?.what === "keypoint";
}

/** The annotation without its active point, or null where none is active or too few would be left. */
export function withoutActive(a: FullAnnotation, active: number | null): FullAnnotation | null {
  const handle = active === null ? undefined : handlesOf(a)[active];
  if (handle?.what === "keypoint") return withVisibility(a, handle.at, 0);
  if (handle?.what !== "vertex") return null;
  const next = withoutVertex(a, handle.ring, handle.at);
  return next === a ? null : next;
}
