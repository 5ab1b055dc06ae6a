import { COLOURINGS, type Colouring } from "@/canvas/colour_by";
import type { operations } from "@/api/schema.gen";
import { oneOf, refSearch, text, whole, type Raw, type RefSearch } from "@/kit/search";

/** What the addresses of the grid and of the sample page hold. The overview holds only the ref. */
export const SIZES = { min: 96, max: 480, usual: 208, objects: 150, pairs: 420 } as const;

export type Sort = NonNullable<NonNullable<operations["list_samples"]["parameters"]["query"]>["sort"]>;
export const SORTS: readonly Sort[] = ["name", "-name", "newest", "-annotations", "annotations"];

/** How objects can be sorted by their own values as well. */
export type ObjectSort = NonNullable<NonNullable<operations["list_objects"]["parameters"]["query"]>["sort"]>;
export const OBJECT_SORTS: readonly ObjectSort[] = [...SORTS, "-size", "size", "-score", "score"];

/** The order of samples; that of the names where only objects can be sorted so. */
export const sampleSort = (sort: ObjectSort | undefined): Sort | undefined => SORTS.find((one) => one === sort);

export type GridSearch = RefSearch & {
  /** Objects, each for itself; samples where it is absent. */
  show?: "objects" | undefined;
  /** The class of the objects to show. */
  of?: string | undefined;
  where?: string | undefined;
  sort?: ObjectSort | undefined;
  /** A part of the map: its model and corners. */
  within?: string | undefined;
  labels?: string | undefined;
  size?: number | undefined;
  /** Index of the cell that the keyboard is at. */
  at?: number | undefined;
  /** Index of the first cell in view. */
  top?: number | undefined;
  /** What annotations are coloured by; their class where it is absent. */
  colour?: Colouring | undefined;
  /** The label set, or the branch, tag or commit, whose annotations are shown beside. */
  beside?: string | undefined;
  against?: string | undefined;
  /** Ids of the classes that are not drawn, joined with dots. */
  hide?: string | undefined;
  /** A saved view to open: its state takes the place of this address. */
  view?: string | undefined;
  /** The saved view that was opened last. */
  saved?: string | undefined;
};

export const gridSearch = (raw: Raw): GridSearch => ({
  ...refSearch(raw),
  show: oneOf(raw, "show", ["objects"]),
  of: text(raw, "of"),
  where: text(raw, "where"),
  sort: oneOf(raw, "sort", OBJECT_SORTS),
  within: text(raw, "within"),
  labels: text(raw, "labels"),
  size: whole(raw, "size", SIZES.min, SIZES.max),
  at: whole(raw, "at", 0, 1e9),
  top: whole(raw, "top", 0, 1e9),
  hide: text(raw, "hide"),
  view: text(raw, "view"),
  saved: text(raw, "saved"),
  colour: oneOf(raw, "colour", COLOURINGS),
  beside: text(raw, "beside"),
  against: text(raw, "against"),
});

export type SampleSearch = GridSearch & {
  /** The selected annotation; shown first when the page opens. */
  ann?: string | undefined;
  /** Names of the label sets that are drawn, as `setsText` writes them; only the listed one where it is absent. */
  sets?: string | undefined;
  /** The list it was opened from, if not the grid of samples: objects, the findings of a run, or a diff. `at` is the place in it. */
  from?: "objects" | "checks" | "diff" | undefined;
  run?: string | undefined;
  check?: string | undefined;
  severity?: (typeof SEVERITIES)[number] | undefined;
  class?: string | undefined;
  fault?: string | undefined;
  shown?: (typeof SHOWN)[number] | undefined;
  assignee?: string | undefined;
  group?: string | undefined;
  as_of?: number | undefined;
  a?: string | undefined;
  b?: string | undefined;
  change?: Change | undefined;
  before?: string | undefined;
  after?: string | undefined;
};

type Change = Exclude<NonNullable<operations["show_diff"]["parameters"]["query"]["change"]>, "">;
const CHANGES = ["reclassified", "moved", "edited", "added", "removed"] as const satisfies readonly Change[];

export const SEVERITIES = ["error", "warning", "info"] as const;
const SHOWN = ["decided", "all"] as const;

export const sampleSearch = (raw: Raw): SampleSearch => ({
  ...gridSearch(raw),
  ann: text(raw, "ann"),
  sets: text(raw, "sets"),
  from: oneOf(raw, "from", ["objects", "checks", "diff"]),
  run: text(raw, "run"),
  check: text(raw, "check"),
  severity: oneOf(raw, "severity", SEVERITIES),
  class: text(raw, "class"),
  fault: text(raw, "fault"),
  shown: oneOf(raw, "shown", SHOWN),
  assignee: text(raw, "assignee"),
  group: text(raw, "group"),
  as_of: whole(raw, "as_of", 0, 2 ** 52),
  a: text(raw, "a"),
  b: text(raw, "b"),
  change: oneOf(raw, "change", CHANGES),
  before: text(raw, "before"),
  after: text(raw, "after"),
});

/** The search of the grid that a sample was opened from. */
export function gridOf(search: SampleSearch, at: number | undefined): GridSearch {
  const { ref, where, sort, within, labels, size, hide, colour, beside, against, of, saved } = search;
  if (search.from === "objects") return { ref, show: "objects", of, where, sort, within, labels, size, hide, colour, beside, against, saved, at: search.at };
  return { ref, where, sort, within, labels, size, hide, colour, beside, against, saved, at: at ?? (search.from ? undefined : search.at) };
}

/** Ids of hidden classes as a set, and back. */
export const hiddenOf = (hide: string | undefined): Set<number> =>
  new Set((hide ?? "").split(".").filter((id) => /^\d+$/.test(id)).map(Number));
export const hideText = (hidden: Set<number>): string | undefined =>
  hidden.size ? [...hidden].sort((a, b) => a - b).join(".") : undefined;

/** Names of label sets, which may hold anything, as text and back. */
export const setsText = (names: Iterable<string>): string => [...names].map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(",");
export function setsOf(sets: string): Set<string> {
  try {
    return new Set(sets.split(",").filter(Boolean).map(decodeURIComponent));
  } catch {
    return new Set(); // an address that was cut off
  }
}
