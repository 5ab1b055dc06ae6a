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

export const GO = { work: "g l" } as const;

/** On the annotator's own page. */
export const MY_WORK_KEYS = {
  "work.next": { title: "Label the next image", group: "Page", keys: ["Enter"] },
  "work.next-review": { title: "Review the next image", group: "Page", keys: ["r"] },
} satisfies Lines;

/** The tools of the editor. */
export const TOOL_KEYS = {
  "tool.select": { title: "Select and edit", group: "Sample", keys: ["v"] },
  "tool.tag": { title: "Give the whole image the current class", group: "Sample", keys: ["t"] },
  "tool.box": { title: "Draw a box", group: "Sample", keys: ["b"] },
  "tool.rotated_box": { title: "Draw a rotated box", group: "Sample", keys: ["r"] },
  "tool.polygon": { title: "Draw a polygon", group: "Sample", keys: ["p"] },
  "tool.brush": { title: "Paint a mask", group: "Sample", keys: ["m"] },
  "tool.eraser": { title: "Erase from the selected mask", group: "Sample", keys: ["x"] },
  "tool.point": { title: "Set a point", group: "Sample", keys: ["d"] },
  "tool.keypoints": { title: "Place the joints of a skeleton", group: "Sample", keys: ["k"] },
  "tool.polyline": { title: "Draw a line", group: "Sample", keys: ["l"] },
  "tool.ellipse": { title: "Draw an ellipse", group: "Sample", keys: ["e"] },
  "tool.cut": { title: "Cut a hole into the selected shape", group: "Sample", keys: ["c"] },
  "tool.part": { title: "Add a part to the selected polygon", group: "Sample", keys: ["P"] },
  "tool.ruler": { title: "Measure a distance in pixels", group: "Sample", keys: ["u"] },
} satisfies Lines;

/** What is drawn, and what is selected. */
export const DRAWN_KEYS = {
  "draw.enter": { title: "Finish the shape, or insert a vertex after the active one", group: "Sample", keys: ["Enter"] },
  "draw.space": { title: "Press at the cursor of the arrow keys", group: "Sample", keys: ["Space"], quiet: true },
  "draw.joint-hidden": { title: "Hide the last joint, or the active keypoint", group: "Sample", keys: ["o"] },
  "draw.joint-none": { title: "Leave the next joint out", group: "Sample", keys: ["O"] },
  "draw.delete": { title: "Delete the last point, the active point or the annotation", group: "Sample", keys: ["Delete", "Backspace"] },
  "draw.back": { title: "One step out: the shape, the tool, the selection", group: "Sample", keys: ["Escape"] },
  "draw.left": { title: "Move it, or the image, left", group: "Sample", keys: ["ArrowLeft"], quiet: true },
  "draw.right": { title: "Move it, or the image, right", group: "Sample", keys: ["ArrowRight"], quiet: true },
  "draw.up": { title: "Move it, or the image, up", group: "Sample", keys: ["ArrowUp"], quiet: true },
  "draw.down": { title: "Move it, or the image, down", group: "Sample", keys: ["ArrowDown"], quiet: true },
  "draw.left-far": { title: "Move it left by 10 pixels", group: "Sample", keys: ["shift+ArrowLeft"], quiet: true },
  "draw.right-far": { title: "Move it right by 10 pixels", group: "Sample", keys: ["shift+ArrowRight"], quiet: true },
  "draw.up-far": { title: "Move it up by 10 pixels", group: "Sample", keys: ["shift+ArrowUp"], quiet: true },
  "draw.down-far": { title: "Move it down by 10 pixels", group: "Sample", keys: ["shift+ArrowDown"], quiet: true },
  "draw.handle": { title: "Next handle: an edge, a vertex, a keypoint or the knob that turns", group: "Sample", keys: [";"] },
  "draw.handle-before": { title: "Previous handle", group: "Sample", keys: [":"] },
  "draw.turn": { title: "Turn it clockwise by a degree", group: "Sample", keys: [")"] },
  "draw.turn-back": { title: "Turn it counterclockwise by a degree", group: "Sample", keys: ["("] },
  "draw.turn-far": { title: "Turn it clockwise by 15 degrees", group: "Sample", keys: ["}"] },
  "draw.turn-back-far": { title: "Turn it counterclockwise by 15 degrees", group: "Sample", keys: ["{"] },
  "draw.simplify": { title: "Simplify the outline", group: "Sample", keys: ["M"] },
  "draw.thinner": { title: "Thinner brush", group: "Sample", keys: [","] },
  "draw.thicker": { title: "Thicker brush", group: "Sample", keys: ["."] },
  "draw.snap": { title: "Draw points to neighbouring outlines, or not", group: "Sample", keys: ["'"] },
} satisfies Lines;

/** Annotations as wholes. */
export const OBJECT_KEYS = {
  "object.next": { title: "Next annotation", group: "Sample", keys: ["n"] },
  "object.previous": { title: "Previous annotation", group: "Sample", keys: ["N"] },
  "object.zoom": { title: "Zoom to the selected annotation", group: "Sample", keys: ["z"] },
  "object.fields": { title: "Edit the attributes", group: "Sample", keys: ["f"] },
  "object.copy": { title: "Copy the selected annotations", group: "Sample", keys: ["mod+c"] },
  "object.paste": { title: "Paste annotations", group: "Sample", keys: ["mod+v"] },
  "object.duplicate": { title: "Duplicate the selected annotations", group: "Sample", keys: ["mod+d"] },
  "object.from-previous": { title: "Copy all annotations from the previous image", group: "Sample", keys: ["F"] },
  "object.group": { title: "Group the selected annotations, or take the group apart", group: "Sample", keys: ["G"] },
  "object.front": { title: "Bring it to the front", group: "Sample", keys: ["PageUp"] },
  "object.behind": { title: "Send it to the back", group: "Sample", keys: ["PageDown"] },
  "object.lock": { title: "Lock or unlock the selected annotation", group: "Sample", keys: ["L"] },
  "object.hide": { title: "Hide or show the selected annotation", group: "Sample", keys: ["H"] },
  "object.undo": { title: "Undo", group: "Sample", keys: ["mod+z"] },
  "object.redo": { title: "Redo", group: "Sample", keys: ["mod+Z", "mod+y"] },
} satisfies Lines;

/** How the image is looked at. */
export const LOOK_KEYS = {
  "look.fit": { title: "Fit the image to the window", group: "Sample", keys: ["0"] },
  "look.actual": { title: "Zoom to 100 %", group: "Sample", keys: ["*"] },
  "look.in": { title: "Zoom in", group: "Sample", keys: ["+", "="] },
  "look.out": { title: "Zoom out", group: "Sample", keys: ["-"] },
  "look.overlays": { title: "Show or hide all annotations", group: "Sample", keys: ["h"] },
  "look.names": { title: "Show or hide class names", group: "Sample", keys: ["w"] },
  "look.rotate": { title: "Turn the view by a quarter", group: "Sample", keys: ["R"] },
  "look.adjust": { title: "Adjust brightness, contrast and gamma", group: "Sample", keys: ["j"] },
  "look.reset": { title: "Reset brightness, contrast, gamma and the turn of the view", group: "Sample", keys: ["J"] },
  "look.panel": { title: "Show or hide the side panel", group: "Sample", keys: ["]"] },
} satisfies Lines;

/** The assignment itself. */
export const WORK_KEYS = {
  "work.submit": { title: "Submit, and on to the next image", group: "Page", keys: ["mod+Enter"] },
  "work.skip": { title: "Skip the image with a reason", group: "Page", keys: ["S"] },
  "work.release": { title: "Give the image back to the queue", group: "Page" },
  "work.ask": { title: "Ask a question about the image or the selected annotation", group: "Page", keys: ["q"] },
  "work.guideline": { title: "Open the guideline in another tab", group: "Page", keys: ["i"] },
  "work.retry": { title: "Send what waits again", group: "Page" },
} satisfies Lines;

/** In a review. */
export const REVIEW_KEYS = {
  "review.accept": { title: "Accept, and on to the next image", group: "Page", keys: ["a"] },
  "review.send-back": { title: "Send the image, or the selected annotation, back", group: "Page", keys: ["s"] },
  "review.take": { title: "Take the selected annotation of a copy", group: "Page", keys: ["T"] },
  "review.copies": { title: "Show the copies over the image, or not", group: "Page", keys: ["Y"] },
  "review.beside": { title: "Show the copies side by side", group: "Page", keys: ["\\"] },
} satisfies Lines;

/** A form over the image: of a reason, a question, a remark. */
export const FORM_KEYS = { "form.send": { title: "Send the form", group: "Page", quiet: true } } satisfies Lines;

/** While a guideline is to be acknowledged. */
export const ACKNOWLEDGE_KEYS = { "work.acknowledge": { title: "I have read what changed in the guideline", group: "Page", quiet: true } } satisfies Lines;
