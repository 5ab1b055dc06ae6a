import type { Annotation } from "@/api/schema.gen";
import type { Drawable } from "@/canvas/drawing";

/** "box": dragging draws a new box. "brush" and "eraser": dragging paints the selected mask. "draw ...": presses and drags draw a shape. */
export type Tool = "look" | "box" | "brush" | "eraser" | `draw ${Drawable}`;

/** What a new shape is to be. `starts`: the brush begins a mask where none is selected. */
export type Pen = { classId: number; joints: number; snaps: boolean; starts: boolean };

export const isPainting = (tool: Tool): tool is "brush" | "eraser" => tool === "brush" || tool === "eraser";

export const drawableOf = (tool: Tool): Drawable | null => (tool.startsWith("draw ") ? (tool.slice(5) as Drawable) : null);

/** What gestures say. */
export type Heard = {
  onHover: (id: string | null) => void;
  onPick: (id: string | null, handle: number | null) => void;
  /** An edit as it would be now; null where there is none any more. */
  onDraft: (draft: Annotation | null) => void;
  onReshape: (next: Annotation) => void;
  onBox: (bbox: [number, number, number, number]) => void;
  /** Where the hand went with the brush, in image pixels: so far, and in the end. */
  onStroke: (points: readonly number[]) => void;
  onPaint: (points: readonly number[]) => void;
  /** Where the brush is, in image pixels. */
  onBrush: (x: number, y: number) => void;
  onCursor: (cursor: string) => void;
  /** A shape is complete. */
  onDrawn?: (shape: Annotation) => void;
};
