import type { operations } from "@/api/schema.gen";
import { oneOf, refSearch, text, whole, type Raw, type RefSearch } from "@/kit/search";

/** What the addresses of the grid and of the sample page hold. The overview holds only the ref. */
export const SIZES = { min: 96, max: 480, usual: 208 } as const;

export type Sort = NonNullable<NonNullable<operations["list_samples"]["parameters"]["query"]>["sort"]>;
export const SORTS: readonly Sort[] = ["name", "-name", "newest", "-annotations", "annotations"];

export type GridSearch = RefSearch & {
  where?: string | undefined;
  sort?: Sort | undefined;
  /** A part of the map: its model and corners. */
  within?: string | undefined;
  labels?: string | undefined;
  size?: number | undefined;
  /** Index of the selected cell. */
  at?: number | undefined;
  /** Ids of the classes that are not drawn, joined with dots. */
  hide?: string | undefined;
};

export const gridSearch = (raw: Raw): GridSearch => ({
  ...refSearch(raw),
  where: text(raw, "where"),
  sort: oneOf(raw, "sort", SORTS),
  within: text(raw, "within"),
  labels: text(raw, "labels"),
  size: whole(raw, "size", SIZES.min, SIZES.max),
  at: whole(raw, "at", 0, 1e9),
  hide: text(raw, "hide"),
});

export type SampleSearch = GridSearch & {
  /** The annotation to show first. */
  ann?: string | undefined;
  /** The page it was opened from, if not the grid. */
  from?: "checks" | "diff" | undefined;
};

export const sampleSearch = (raw: Raw): SampleSearch => ({
  ...gridSearch(raw),
  ann: text(raw, "ann"),
  from: oneOf(raw, "from", ["checks", "diff"]),
});

/** Ids of hidden classes as a set, and back. */
export const hiddenOf = (hide: string | undefined): Set<number> =>
  new Set((hide ?? "").split(".").filter((id) => /^\d+$/.test(id)).map(Number));
export const hideText = (hidden: Set<number>): string | undefined =>
  hidden.size ? [...hidden].sort((a, b) => a - b).join(".") : undefined;
