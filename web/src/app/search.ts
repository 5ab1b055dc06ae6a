/** The address is the state: what each page keeps in it. Values are plain text, never JSON. */
type Raw = Record<string, unknown>;

const text = (raw: Raw, key: string): string | undefined => {
  const value = raw[key];
  return value === undefined || value === null || value === "" ? undefined : String(value);
};

const whole = (raw: Raw, key: string, low: number, high: number): number | undefined => {
  const value = Number(text(raw, key) ?? Number.NaN);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, Math.round(value))) : undefined;
};

export type RefSearch = { ref?: string | undefined };
export const refSearch = (raw: Raw): RefSearch => ({ ref: text(raw, "ref") });

export const SIZES = { min: 96, max: 480, usual: 208 } as const;

export type GridSearch = RefSearch & {
  where?: string | undefined;
  sort?: string | undefined;
  labels?: string | undefined;
  size?: number | undefined;
  /** Index of the cell in hand. */
  at?: number | undefined;
  /** Ids of classes that are not drawn, with dots between. */
  hide?: string | undefined;
};
export const gridSearch = (raw: Raw): GridSearch => ({
  ...refSearch(raw),
  where: text(raw, "where"),
  sort: text(raw, "sort"),
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
  from: raw.from === "checks" || raw.from === "diff" ? raw.from : undefined,
});

export type ChecksSearch = RefSearch & { check?: string | undefined; severity?: string | undefined };
export const checksSearch = (raw: Raw): ChecksSearch => ({
  ...refSearch(raw), check: text(raw, "check"), severity: text(raw, "severity"),
});

/** `b` is left out for the working state. */
export type DiffSearch = { a: string; b?: string | undefined };
export const diffSearch = (raw: Raw): DiffSearch => ({ a: text(raw, "a") ?? "", b: text(raw, "b") });

/** The merge that is looked at, and the conflict in hand by its place in the list. */
export type MergeSearch = RefSearch & { merge?: string | undefined; at?: number | undefined };
export const mergeSearch = (raw: Raw): MergeSearch => ({ ...refSearch(raw), merge: text(raw, "merge"), at: whole(raw, "at", 0, 1e9) });

export type DatasetFilter = { dataset?: string | undefined };
export const datasetFilter = (raw: Raw): DatasetFilter => ({ dataset: text(raw, "dataset") });

export const parseSearch = (found: string): Raw => Object.fromEntries(new URLSearchParams(found));

export const stringifySearch = (search: Raw): string => {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== "") asked.set(key, String(value));
  }
  const found = asked.toString();
  return found ? `?${found}` : "";
};

/** Hidden classes as a set, and back. */
export const hiddenOf = (hide: string | undefined): Set<number> =>
  new Set((hide ?? "").split(".").filter((one) => /^\d+$/.test(one)).map(Number));
export const hideText = (hidden: Set<number>): string | undefined =>
  hidden.size ? [...hidden].sort((a, b) => a - b).join(".") : undefined;
