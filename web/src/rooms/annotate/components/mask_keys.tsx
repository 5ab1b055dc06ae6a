import { stepRadius } from "@/canvas/brush";
import type { Tool } from "@/canvas/gestures";
import type { Bounds } from "@/canvas/reshape";
import { useCommands } from "@/kit/commands";
import type { Signal } from "@/kit/signal";
import { BRUSH_KEYS, MASK_KEYS, NUDGE_KEYS } from "../keys";

type Place = { x: number; y: number };
type Props = { tool: Tool; radius: number; onTool: (tool: Tool) => void; onRadius: (radius: number) => void };

/** Keys that take up the brush or the eraser of a mask and choose how thick it is. */
export function MaskKeys({ tool, radius, onTool, onRadius }: Props) {
  const flip = (to: Tool) => () => onTool(tool === to ? "look" : to);
  useCommands(MASK_KEYS, {
    "edit.brush": flip("brush"), "edit.eraser": flip("eraser"),
    "edit.thinner": () => onRadius(stepRadius(radius, -1)), "edit.thicker": () => onRadius(stepRadius(radius, 1)),
  });
  return null;
}

type BrushProps = { brush: Signal<Place | null>; start: Place; image: Bounds; onDab: (at: Place) => void };

/** The arrow keys move the brush by pixels of the image; Space paints where it is. */
export function BrushKeys({ brush, start, image, onDab }: BrushProps) {
  const move = (dx: number, dy: number) => () => {
    const from = brush.get() ?? start;
    brush.set({ x: Math.min(image.width, Math.max(0, from.x + dx)), y: Math.min(image.height, Math.max(0, from.y + dy)) });
  };
  useCommands(NUDGE_KEYS, {
    "edit.left": move(-1, 0), "edit.right": move(1, 0), "edit.up": move(0, -1), "edit.down": move(0, 1),
    "edit.left-far": move(-10, 0), "edit.right-far": move(10, 0), "edit.up-far": move(0, -10), "edit.down-far": move(0, 10),
  });
  useCommands(BRUSH_KEYS, {
    "edit.dab": () => {
      const at = brush.get() ?? start;
      brush.set(at);
      onDab(at);
    },
  });
  return null;
}
