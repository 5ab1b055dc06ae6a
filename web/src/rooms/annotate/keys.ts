import type { CommandLine } from "@/kit/commands";

type Lines = Record<string, CommandLine>;

/** On every page of a dataset's working state that can be edited. */
export const STAGED_KEYS = {
  "edit.undo": { title: "Undo the last edit", group: "Dataset", keys: ["mod+z"] },
  "edit.redo": { title: "Redo the edit that was undone", group: "Dataset", keys: ["mod+Z", "mod+y"] },
  "edit.commit": { title: "Commit the staged edits", group: "Dataset", keys: ["mod+Enter"] },
} satisfies Lines;

/** After an edit that could not be sent. */
export const RETRY_KEYS = { "edit.retry": { title: "Send the edit again", group: "Dataset" } } satisfies Lines;

/** After an edit that copies of the sample did not follow. */
export const OFFER_KEYS = { "edit.carry-over": { title: "Apply the last edit to the copies too", group: "Dataset" } } satisfies Lines;

export const DRAW_KEYS = {
  "edit.box": { title: "Draw a new box", group: "Sample", keys: ["n"] },
} satisfies Lines;

/** While an annotation is selected. */
export const SELECTED_KEYS = {
  "edit.class": { title: "Change the class", group: "Sample", keys: ["c"] },
  "edit.delete": { title: "Delete the annotation or its active point", group: "Sample", keys: ["Delete", "Backspace"] },
  "edit.attributes": { title: "Edit the attributes", group: "Sample", keys: ["e"] },
} satisfies Lines;

/** While an annotation is selected that can be reshaped. */
export const SHAPE_KEYS = {
  "edit.vertex": { title: "Next handle: an edge, a vertex, a keypoint or the knob that turns", group: "Sample", keys: ["v"] },
  "edit.vertex-before": { title: "Previous handle", group: "Sample", keys: ["V"] },
  "edit.insert": { title: "Insert a vertex after the active one", group: "Sample", keys: ["i"] },
} satisfies Lines;

/** While a rotated box or an ellipse is selected. */
export const TURN_KEYS = {
  "edit.turn": { title: "Turn it clockwise by a degree", group: "Sample", keys: ["r"] },
  "edit.turn-back": { title: "Turn it counterclockwise by a degree", group: "Sample", keys: ["R"] },
  "edit.turn-far": { title: "Turn it clockwise by 15 degrees", group: "Sample", keys: ["t"] },
  "edit.turn-back-far": { title: "Turn it counterclockwise by 15 degrees", group: "Sample", keys: ["T"] },
} satisfies Lines;

/** While an annotation with keypoints is selected. */
export const KEYPOINT_KEYS = {
  "edit.visibility": { title: "Make the active keypoint visible, hidden or not labelled", group: "Sample", keys: ["h"] },
} satisfies Lines;

/** While a mask is selected. */
export const MASK_KEYS = {
  "edit.brush": { title: "Paint the mask with a brush", group: "Sample", keys: ["p"] },
  "edit.eraser": { title: "Erase from the mask", group: "Sample", keys: ["x"] },
  "edit.thinner": { title: "Thinner brush", group: "Sample", keys: [","] },
  "edit.thicker": { title: "Thicker brush", group: "Sample", keys: ["."] },
} satisfies Lines;

/** While a mask is painted and the image has the focus; the arrows of `NUDGE_KEYS` move the brush then. */
export const BRUSH_KEYS = {
  "edit.dab": { title: "Paint or erase where the brush is", group: "Sample", keys: ["Space"], quiet: true },
} satisfies Lines;

/** While an annotation is selected that can be reshaped, and the image has the focus: it, its active handle or the brush moves. */
export const NUDGE_KEYS = {
  "edit.left": { title: "Move it left by a pixel", group: "Sample", keys: ["ArrowLeft"], quiet: true },
  "edit.right": { title: "Move it right by a pixel", group: "Sample", keys: ["ArrowRight"], quiet: true },
  "edit.up": { title: "Move it up by a pixel", group: "Sample", keys: ["ArrowUp"], quiet: true },
  "edit.down": { title: "Move it down by a pixel", group: "Sample", keys: ["ArrowDown"], quiet: true },
  "edit.left-far": { title: "Move it left by 10 pixels", group: "Sample", keys: ["shift+ArrowLeft"], quiet: true },
  "edit.right-far": { title: "Move it right by 10 pixels", group: "Sample", keys: ["shift+ArrowRight"], quiet: true },
  "edit.up-far": { title: "Move it up by 10 pixels", group: "Sample", keys: ["shift+ArrowUp"], quiet: true },
  "edit.down-far": { title: "Move it down by 10 pixels", group: "Sample", keys: ["shift+ArrowDown"], quiet: true },
} satisfies Lines;

/** Digits give the selected annotation one of the most used classes. */
export const CLASS_KEYS = {
  "edit.class-1": { title: "Give it the most used class", group: "Sample", keys: ["1"], quiet: true },
  "edit.class-2": { title: "Give it the second most used class", group: "Sample", keys: ["2"], quiet: true },
  "edit.class-3": { title: "Give it the third most used class", group: "Sample", keys: ["3"], quiet: true },
  "edit.class-4": { title: "Give it the fourth most used class", group: "Sample", keys: ["4"], quiet: true },
  "edit.class-5": { title: "Give it the fifth most used class", group: "Sample", keys: ["5"], quiet: true },
  "edit.class-6": { title: "Give it the sixth most used class", group: "Sample", keys: ["6"], quiet: true },
  "edit.class-7": { title: "Give it the seventh most used class", group: "Sample", keys: ["7"], quiet: true },
  "edit.class-8": { title: "Give it the eighth most used class", group: "Sample", keys: ["8"], quiet: true },
  "edit.class-9": { title: "Give it the ninth most used class", group: "Sample", keys: ["9"], quiet: true },
} satisfies Lines;
