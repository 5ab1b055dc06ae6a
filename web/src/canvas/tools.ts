import type { Drawable } from "@/canvas/drawing";

/** "box": dragging draws a new box. "brush" and "eraser": dragging paints the selected mask. "draw ...": presses and drags draw a shape. */
export type Tool = "look" | "box" | "brush" | "eraser" | `draw ${Drawable}`;

/** What a new shape is to be. `starts`: the brush begins a mask where none is selected. */
export type Pen = { classId: number; joints: number; snaps: boolean; starts: boolean };

export const isPainting = (tool: Tool): tool is "brush" | "eraser" => tool === "brush" || tool === "eraser";

export const drawableOf = (tool: Tool): Drawable | null => (tool.startsWith("draw ") ? (tool.slice(5) as Drawable) : null);
