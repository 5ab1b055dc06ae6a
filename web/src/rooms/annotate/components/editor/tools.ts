import type { Tool } from "@/canvas/gestures";
import type { Kind, WorkClass } from "../session/types";

/** The tools of the editor, in the order of the rail. */
export const TOOLS = [
  "select", "box", "rotated_box", "polygon", "polyline", "brush", "eraser", "cut", "ellipse", "point", "keypoints", "tag", "ruler",
] as const;
export type EditorTool = (typeof TOOLS)[number] | "part";

/** The kind that a tool draws; null where it draws none of its own. */
const KINDS: Readonly<Partial<Record<EditorTool, Kind>>> = {
  box: "box", rotated_box: "rotated_box", polygon: "polygon", polyline: "polyline", brush: "mask", ellipse: "ellipse", point: "point", keypoints: "keypoints",
  tag: "classification",
};
export const kindOf = (tool: EditorTool): Kind | null => KINDS[tool] ?? null;

/** What is written of a kind in `tools` of a class, beside its own name. */
const ALSO: Readonly<Partial<Record<Kind, readonly string[]>>> = { mask: ["brush"], classification: ["tag", "class"], keypoints: ["skeleton"], rotated_box: ["rotated"] };

/** Whether a class may be drawn as a kind; skeletons need joints. */
export function allows(one: WorkClass | undefined, kind: Kind | null): boolean {
  if (!one || !kind) return true;
  if (kind === "keypoints" && one.keypoints.length === 0) return false;
  return one.tools.length === 0 || one.tools.includes(kind) || (ALSO[kind] ?? []).some((name) => one.tools.includes(name));
}

/** The tools that some class can be drawn with. */
export const toolsFor = (classes: readonly WorkClass[]): EditorTool[] =>
  TOOLS.filter((tool) => {
    const kind = tool === "eraser" || tool === "cut" ? "mask" : kindOf(tool);
    return !kind || classes.some((one) => allows(one, kind));
  });

/** What the canvas calls it. */
export function canvasTool(tool: EditorTool): Tool {
  if (tool === "brush" || tool === "eraser") return tool;
  if (tool === "select" || tool === "tag") return "look";
  return `draw ${tool === "part" ? "polygon" : tool}`;
}

/** What to do next, in the line below the image. */
export const HINTS: Readonly<Record<EditorTool, string>> = {
  select: "click selects, drag moves, Shift adds", box: "drag, or click two corners", rotated_box: "drag one side, then click its depth",
  polygon: "click points or drag freely; the start or Enter closes, Alt does not snap", polyline: "click points; Enter ends", brush: "drag to paint, , and . for the size",
  eraser: "drag to erase from the selected mask", cut: "draw a hole into the selected shape; it becomes a mask", ellipse: "drag the box around it",
  point: "click", keypoints: "click joints in order; o hides the last, O leaves one out, Enter ends", tag: "digits give the whole image a class", ruler: "drag a distance",
  part: "draw another part of the selected polygon",
};
