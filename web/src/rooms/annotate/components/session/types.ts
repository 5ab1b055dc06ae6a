import type {
  BlindCopy, ClassCard, FullAnnotation, MyWork as ServerMyWork, Recorded as ServerRecorded, Thread as ServerThread, Work as ServerWork, WorkAnnotation,
} from "@/api/schema.gen";

export type Kind = FullAnnotation["kind"];

/** An annotation of an assignment: with where it comes from. */
export type Row = FullAnnotation & Pick<WorkAnnotation, "origin">;
/** A class as the ontology has it; it may be drawn as the kinds of `tools`, as all of them where it is empty. */
export type WorkClass = Omit<ClassCard, "skeleton"> & { skeleton: readonly (readonly [number, number])[] };
export type AttributeOf = ClassCard["attributes"][number];
export type Thread = ServerThread;
export type WorkState = ServerWork["state"];
export type Copy = Omit<BlindCopy, "annotations"> & { annotations: readonly Row[] };

/** An assignment with all that its page needs. */
export type Work = Omit<ServerWork, "annotations" | "others" | "classes"> & { annotations: readonly Row[]; others: readonly Copy[]; classes: readonly WorkClass[] };
export type MyWork = ServerMyWork;
export type MyAssignment = MyWork["open"][number];
export type OpenBatch = MyWork["batches"][number];

/** What a shape is, as operations carry it: one of them. */
export type ShapeFields = {
  bbox?: readonly [number, number, number, number] | null;
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
export type Recorded = Omit<ServerRecorded, "annotations"> & { annotations: readonly { id: string; row: Row | null }[] };
