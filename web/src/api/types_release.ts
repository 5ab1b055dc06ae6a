import type { Counted, Gate, Objective } from "@/api/types";

/** Shapes of releases, runs and the audit trail. */
export type ReleaseRow = {
  version: string;
  commit: string;
  at: string;
  actor: string;
  samples: number;
  annotations: number;
  splits: Record<string, number>;
  gates: { green: number; red: number };
  purpose: string | null;
};

export type ReleaseFile = { path: string; bytes: number; sha256: string };

export type Condition = {
  field: string;
  missing: number;
  distinct: number;
  range?: { min: number; median: number; max: number };
  values?: Counted[];
};

/** Where the findings of the released state stand. */
export type Standing = {
  states?: { severity: string; open: number; assigned: number; accepted: number; rejected: number; fixed: number }[];
  accepted?: { key: string; check: string; severity: string; sample: string; what: string; because: string; until: string }[];
  waivers?: { check: string; where: string; because: string; owner: string; until: string; findings: number }[];
};

export type Card = {
  dataset: string;
  description: string;
  version: string;
  commit: string;
  date: string;
  author: string;
  contract: string;
  intent: string;
  owner: string;
  label_set: string;
  samples: number;
  derived: number;
  annotations: number;
  kinds: Counted[];
  splits: { name: string; samples: number; annotations: number }[];
  split_by: { fractions: Record<string, number> | null; by: string | null; seed: number };
  pool: { where: string | null; selected: number | null };
  classes: { id: number; name: string; annotations: number; samples: number; by_split: Record<string, number> }[];
  sizes: { min?: [number, number]; max?: [number, number] };
  conditions: Condition[];
  licences: Counted[];
  sources: Counted[];
  recipes: Counted[];
  gates: Gate[];
  findings: Record<string, number>;
  /* Absent from the cards of older versions. */
  purpose?: string;
  purposes?: string[];
  privacy?: { level: string; contains: string[]; retention_days: number | null };
  warnings?: string[];
  objectives?: Objective[];
  standing?: Standing;
  exports: {
    format: string;
    samples: number;
    annotations: number;
    losses: { what: string; count: number; example: string }[];
  }[];
};

export type Release = ReleaseRow & { card: Card; files: ReleaseFile[] };

export type RunRow = {
  id: string;
  dataset: string | null;
  pipeline: string;
  state: string;
  at: string;
  duration_s: number | null;
  actor: string;
};

export type Stage = {
  name: string;
  kind: string;
  state: string;
  inputs: Record<string, unknown> | null;
  outputs: Record<string, unknown> | null;
  duration_s: number | null;
  error?: { what?: string; fix?: string } | string | null;
};

export type Run = RunRow & { stages: Stage[]; error?: { what?: string; fix?: string } | string | null };

export type AuditEvent = {
  seq: number;
  at: string;
  actor: string;
  verb: string;
  subject: string | null;
  details: Record<string, unknown>;
};

export type Audit = { items: AuditEvent[]; intact: boolean };
