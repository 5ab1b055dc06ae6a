/** Shapes of the HTTP API, version 1. */
export type Session = {
  actor: { id: string; name: string; roles: string[] };
  workspace: { name: string };
  version: string;
};

export type Commit = {
  id: string;
  parents: string[];
  author: string;
  message: string;
  at: string;
  stats: { samples?: number; annotations?: number; label_sets?: Record<string, number> };
  refs?: string[];
};

export type GateCounts = { green: number; red: number; missing?: number };

export type DatasetRow = {
  name: string;
  description: string;
  samples: number;
  annotations: number;
  classes: number;
  label_sets: string[];
  head: Commit | null;
  dirty: boolean;
  releases: string[];
  gates: GateCounts | null;
  cover: string[];
};

export type ClassRow = {
  id: number;
  name: string;
  supercategory: string;
  keypoints: string[];
  skeleton: [number, number][];
  annotations: number;
  samples: number;
};

export type Scalar = string | number | boolean;
export type Counted = { value: Scalar | null; count: number };
export type Histogram = { edges: number[]; counts: number[] };

export type Field = {
  name: string;
  type: "str" | "int" | "float" | "bool";
  distinct: number;
  missing: number;
  top: Counted[];
  histogram: Histogram | null;
};

export type Overview = {
  name: string;
  description: string;
  ref: string;
  commit: string | null;
  dirty: boolean;
  contract: { sha256: string } | null;
  samples: number;
  annotations: number;
  unlabelled: number;
  derived: number;
  label_sets: { name: string; annotations: number; kinds: Record<string, number> }[];
  classes: ClassRow[];
  splits: { name: string; samples: number; annotations: number }[];
  licences: Counted[];
  sources: Counted[];
  tags: Counted[];
  fields: Field[];
  sizes: { min: [number, number]; median: [number, number]; max: [number, number] } | null;
};

export type Mask = { size: [number, number]; counts: string };

export type Annotation = {
  id: string;
  kind: string;
  class: string;
  class_id: number;
  bbox: [number, number, number, number] | null;
  rings: number[][];
  keypoints: number[];
  mask: Mask | null;
  score: number | null;
  iscrowd: boolean;
};

export type FullAnnotation = Annotation & {
  attributes: Record<string, unknown>;
  author: string;
  area: number | null;
  source_id: string | null;
};

export type SampleCell = {
  id: string;
  name: string;
  media: string;
  width: number;
  height: number;
  split: string;
  group: string;
  tags: string[];
  parent: string | null;
};

export type SampleItem = SampleCell & { findings: number; annotations: Annotation[] };

export type SamplePage = { commit: string | null; total: number; offset: number; items: SampleItem[] };

export type SampleFinding = {
  check: string;
  severity: Severity;
  annotation_id: string | null;
  label_set: string | null;
  reason: string;
  facts: Record<string, unknown>;
};

export type SampleDetail = SampleCell & {
  commit: string | null;
  mime: string;
  bytes: number;
  source: string;
  licence: string;
  metadata: Record<string, unknown>;
  names: string[];
  recipe: string;
  created_at: string;
  label_sets: Record<string, FullAnnotation[]>;
  children: { id: string; name: string; media: string }[];
  findings: SampleFinding[];
  position: { index: number; total: number; previous: string | null; next: string | null } | null;
};

export type Ref = { name: string; kind: string; commit: string | null };

export type Counts = { added: number; removed: number; changed: number };
export type Changes = { samples: Counts; annotations: Counts; by_label_set: Record<string, Counts> };
export type Log = { items: Commit[]; dirty: boolean; changes: Changes | null };
export type DiffItem = { sample_id: string; name: string; media: string; change: string; annotations: Counts };
export type Diff = Changes & { a: string; b: string; items: DiffItem[] };

export type Severity = "error" | "warning" | "info";
export type GateState = "green" | "red" | "missing";

export type Gate = {
  name: string;
  check: string;
  state: GateState;
  measured: number;
  threshold: number;
  unit: string;
  detail: string;
  fix?: string;
  findings?: number;
  samples?: string[];
};

export type CheckSummary = {
  name: string;
  title: string;
  means: string;
  fix: string;
  unit: string;
  enabled: boolean;
  looked_at: number;
  kept: number;
  took_ms: number;
  counts: Partial<Record<Severity, number>>;
  findings: number;
  parameters: Record<string, unknown>;
};

export type CheckRun = {
  id: string;
  at: string;
  actor: string;
  duration_s: number;
  commit: string | null;
  contract: string;
  red: boolean;
  counts: Record<Severity, number>;
};

export type Objective = {
  name: string;
  state: "met" | "missed" | "not measured";
  measured: number | null;
  at: "most" | "least";
  target: number;
  unit: string;
  detail: string;
};

export type Checks = { run: CheckRun | null; stale: boolean; gates: Gate[]; objectives: Objective[]; checks: CheckSummary[] };

export type Contract = { sha256: string; text: string | null; template: string | null; purposes: string[]; warnings: string[] };

export type FindingState = "open" | "assigned" | "fixed" | "rejected" | "accepted" | "closed";

export type Finding = {
  position: number;
  key: string;
  state: FindingState | null;
  assignee: string | null;
  note: string | null;
  repair: boolean;
  check: string;
  severity: Severity;
  sample: { id: string; name: string; media: string; width: number; height: number } | null;
  sample_name: string | null;
  annotation: string | null;
  label_set: string | null;
  reason: string;
  facts: Record<string, unknown>;
};

export type Fixed = { fix: string; findings: string[]; left_out: Record<string, string> };
export type FindingPage = { total: number; offset: number; items: Finding[] };
