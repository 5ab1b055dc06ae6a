import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of the overview, the grid and the sample page, and the keys that lead there. */
export const GO = { overview: "g o", samples: "g s" } as const;

type Lines = Record<string, CommandLine>;

export const OVERVIEW_KEYS = {
  "overview.samples": { title: "Open the samples", group: "Page", keys: ["Enter"], quiet: true },
} satisfies Lines;

export const GRID_KEYS = {
  "grid.objects": { title: "Show samples or objects", group: "Grid", keys: ["o"] },
  "grid.overlays": { title: "Show or hide annotations", group: "Grid", keys: ["a"] },
  "grid.facets": { title: "Show or hide classes and filters", group: "Grid", keys: ["f"] },
  "grid.larger": { title: "Larger images", group: "Grid", keys: ["+", "="] },
  "grid.smaller": { title: "Smaller images", group: "Grid", keys: ["-"] },
  "grid.copy": { title: "Copy this query as a command", group: "Grid", keys: ["Y"] },
  "grid.clear": { title: "Clear the selection, then the query", group: "Grid", keys: ["Escape"] },
} satisfies Lines;

export const VIEW_KEYS = { "grid.views": { title: "Open or save a view", group: "Grid", keys: ["v"] } } satisfies Lines;

/** While samples are selected. */
export const SELECTION_KEYS = {
  "selection.clear": { title: "Clear the selection", group: "Grid" },
  "selection.copy": { title: "Copy the ids of what is selected", group: "Grid", keys: ["c"] },
} satisfies Lines;

/** While samples are selected. */
export const SAMPLES_KEYS = {
  "selection.query": { title: "Copy the selected samples as a query", group: "Grid" },
  "selection.map": { title: "Show the selected samples on the map", group: "Grid" },
  "selection.similar": { title: "Show images that look like the selected one", group: "Grid" },
} satisfies Lines;

/** While many samples or objects are changed. */
export const STOP_KEYS = { "selection.stop": { title: "Stop the running change", group: "Grid" } } satisfies Lines;

/** In the list of saved views. */
export const SAVE_KEYS = {
  "views.update": { title: "Update the open view with what is shown", group: "Grid" },
  "views.replace": { title: "Replace the view of this name", group: "Grid", quiet: true },
} satisfies Lines;

/** While a view is renamed, and after one was deleted. */
export const RENAME_KEYS = { "views.rename-over": { title: "Replace the view of the new name", group: "Grid", quiet: true } } satisfies Lines;
export const DELETED_KEYS = { "views.restore": { title: "Restore the deleted view", group: "Grid" } } satisfies Lines;

/** While samples are selected that can be edited. */
export const SELECTION_EDIT_KEYS = {
  "selection.split": { title: "Put the selected samples into a split", group: "Grid", keys: ["s"] },
  "selection.tag": { title: "Add a tag to the selected samples", group: "Grid", keys: ["t"] },
  "selection.untag": { title: "Remove a tag from the selected samples", group: "Grid", keys: ["u"] },
  "selection.field": { title: "Set a field of the selected samples", group: "Grid", keys: ["m"] },
} satisfies Lines;

/** While objects are selected that can be edited. */
export const OBJECT_EDIT_KEYS = {
  "objects.class": { title: "Set the class of the selected objects", group: "Grid", keys: ["l"] },
  "objects.delete": { title: "Delete the selected objects", group: "Grid", keys: ["Delete", "Backspace"] },
} satisfies Lines;

export const QUERY_KEYS = { query: { title: "Edit the query", group: "Grid", keys: ["/"] } } satisfies Lines;

export const JUMP_KEYS = { "grid.jump": { title: "Go to a sample by number", group: "Grid", keys: ["#", ":"] } } satisfies Lines;

export const SAMPLE_KEYS = {
  "sample.next": { title: "Next sample", group: "Sample", keys: ["j", "ArrowRight"] },
  "sample.previous": { title: "Previous sample", group: "Sample", keys: ["k", "ArrowLeft"] },
  "sample.back": { title: "Back to the previous page", group: "Sample", keys: ["Escape"] },
  "sample.fit": { title: "Fit the image to the window", group: "Sample", keys: ["0"] },
  "sample.actual": { title: "Zoom to 100 %", group: "Sample", keys: ["1"] },
  "sample.in": { title: "Zoom in", group: "Sample", keys: ["+", "="] },
  "sample.out": { title: "Zoom out", group: "Sample", keys: ["-"] },
  "sample.down": { title: "Next annotation", group: "Sample", keys: ["ArrowDown"] },
  "sample.up": { title: "Previous annotation", group: "Sample", keys: ["ArrowUp"] },
  "sample.zoom": { title: "Zoom to the selected annotation", group: "Sample", keys: ["Enter", "z"] },
  "sample.overlays": { title: "Show or hide annotations", group: "Sample", keys: ["a"] },
  "sample.labels": { title: "Show or hide class names", group: "Sample", keys: ["l"] },
  "sample.sets": { title: "Draw all label sets, or only the listed one", group: "Sample", keys: ["s"] },
  "sample.colour": { title: "Colour by class, author, score, open finding or label set", group: "Sample", keys: ["o"] },
  "sample.link": { title: "Copy a link to this sample at its commit", group: "Sample" },
} satisfies Lines;

/** While the image has the focus. */
export const IMAGE_KEYS = {
  "image.left": { title: "Move the image left", group: "Sample", keys: ["ArrowLeft"], quiet: true },
  "image.right": { title: "Move the image right", group: "Sample", keys: ["ArrowRight"], quiet: true },
  "image.up": { title: "Move the image up", group: "Sample", keys: ["ArrowUp"], quiet: true },
  "image.down": { title: "Move the image down", group: "Sample", keys: ["ArrowDown"], quiet: true },
} satisfies Lines;
