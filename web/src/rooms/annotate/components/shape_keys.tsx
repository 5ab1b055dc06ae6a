import type { FullAnnotation } from "@/api/schema.gen";
import { handlesOf, type Handle } from "@/canvas/handles";
import { dragged, moved, withoutVertex, type Bounds } from "@/canvas/reshape";
import { useCommands } from "@/kit/commands";
import { NUDGE_KEYS, SHAPE_KEYS } from "../keys";
import { setShape } from "./changes";
import type { Editing } from "./use_editing";

type Props = { a: FullAnnotation; image: Bounds; active: number | null; onActive: (at: number | null) => void; editing: Editing };

const isPoint = (handle: Handle | undefined) => handle?.what === "vertex" || handle?.what === "keypoint";

/** Keys that walk through the points of a shape and put new ones between them. */
export function ShapeKeys({ a, image, active, onActive, editing }: Props) {
  const handles = handlesOf(a);
  const points = handles.flatMap((handle, at) => (isPoint(handle) ? [at] : []));
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

/** The annotation without its active vertex, or null where none is active or too few would be left. */
export function withoutActive(a: FullAnnotation, active: number | null): FullAnnotation | null {
  const handle = active === null ? undefined : handlesOf(a)[active];
  if (handle?.what !== "vertex") return null;
  const next = withoutVertex(a, handle.ring, handle.at);
  return next === a ? null : next;
}
