export type MergeState = "open" | "landed" | "abandoned";

export type Merge = {
  merge: string;
  source: string;
  into: string;
  state: MergeState;
  source_commit: string;
  target_commit: string | null;
  commit: string | null;
  counts: { conflicts: number; open: number };
  by: string;
  at: string;
};

/** A row as its table holds it; null where it is removed. */
export type Row = Record<string, unknown> | null;

export type Conflict = {
  position: number;
  kind: string;
  table: string;
  id: string;
  sample_id: string | null;
  fields: string[];
  base: Row;
  ours: Row;
  theirs: Row;
  state: "open" | "review" | "resolved";
  resolution: string | Record<string, unknown> | null;
};

export type MergeDetail = Merge & { total: number; open: number; items: Conflict[] };
