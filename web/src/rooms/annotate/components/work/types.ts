import type { FullAnnotation } from "@/api/schema.gen";

export type Kind = FullAnnotation["kind"];

/** An annotation of an assignment: with where it comes from, and its last operation. */
export type Row = FullAnnotation & { origin: "drawn" | "prelabel" | "adjusted" | "imported"; operation: string };

export type AttributeOf = {
  name: string;
  type: "text" | "number" | "boolean" | "choice";
  required: boolean;
  default?: unknown;
  choices?: readonly string[];
};

/** A class as the ontology has it. */
export type WorkClass = {
  id: number;
  name: string;
  colour: string;
  key: string;
  definition: string;
  /** Kinds that it may be drawn as; all of them where it is empty. */
  tools: readonly string[];
  attributes: readonly AttributeOf[];
  keypoints: readonly string[];
  skeleton: readonly (readonly [number, number])[];
  parent?: string | null;
};

export type Comment = { author: string; text: string; at: string; verb?: string };
export type Thread = {
  id: string;
  kind: "remark" | "question";
  category: string | null;
  annotation: string | null;
  place: readonly [number, number] | null;
  state: string;
  comments: readonly Comment[];
};

export type WorkState = "draft" | "submitted" | "accepted" | "sent-back" | "skipped" | "released" | "expired";

export type Work = {
  assignment: string;
  kind: "annotate" | "review";
  state: WorkState;
  round: number;
  lease_until: string | null;
  active_ms: number;
  batch: { id: string; name: string; dataset: string; label_set: string; overlap: number; due: string | null; guideline_version: number | null };
  guideline: { version: number | null; acknowledged: boolean };
  sample: { id: string; name: string; width_px: number; height_px: number };
  classes: readonly WorkClass[];
  annotations: readonly Row[];
  position: number;
  to_undo: number;
  to_redo: number;
  remarks: readonly Thread[];
  others: readonly { assignment: string; author: string; annotations: readonly Row[] }[];
  ahead: readonly { sample: string; name: string; width_px: number; height_px: number; image?: string }[];
};

/** What a shape is, as operations carry it: one of them. */
export type ShapeFields = {
  bbox?: readonly [number, number, number, number] | null;
  rotated?: unknown;
  rings?: readonly (readonly number[])[];
  keypoints?: readonly number[];
  mask?: { size: readonly [number, number]; counts: string };
};

export type Operation = { id: string; active_ms?: number } & (
  | ({ do: "add"; annotation: string; class: string; kind: Kind; attributes?: Record<string, unknown>; iscrowd?: boolean } & ShapeFields)
  | { do: "set-class"; annotation: string; class: string }
  | ({ do: "set-shape"; annotation: string; kind?: Kind } & ShapeFields)
  | { do: "set-attributes"; annotation: string; attributes: Record<string, unknown> }
  | { do: "delete"; annotation: string }
  | { do: "undo"; operation?: string }
  | { do: "redo" }
  | { do: "restore"; annotation: string; position: number }
);
/** Every kind of operation without its id, which the outbox gives. */
export type Wish = Operation extends infer One ? (One extends Operation ? Omit<One, "id"> : never) : never;

export type Refusal = { id: string; code: string; what: string };

/** What the server answers to operations. */
export type Recorded = {
  recorded: readonly string[];
  repeated: readonly string[];
  refused: readonly Refusal[];
  annotations: readonly { id: string; row: Row | null }[];
  position: number;
  to_undo: number;
  to_redo: number;
  lease_until: string | null;
  state: WorkState;
};

/** A row of the annotator's own page. */
export type MyAssignment = {
  assignment: string;
  kind: Work["kind"];
  state: WorkState;
  batch: { name: string; dataset: string };
  sample: { id: string; name: string };
  round?: number;
  remarks?: number;
};
export type OpenBatch = { name: string; dataset: string; waiting?: number; total?: number; due?: string | null; priority?: number | string };
export type MyWork = { mine: readonly MyAssignment[]; batches: readonly OpenBatch[]; figures: Readonly<Record<string, unknown>> };
