import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call } from "@/api/client";
import type { EditsBody, OperationsBody, JudgementBody } from "@/api/schema.gen";
import { branchQuery, MAIN } from "@/kit/branch";
import type { Operation, Recorded, Work } from "./components/session/types";

export type Edit = EditsBody["edits"][number];
export type EditOfAnnotation = Extract<Edit, { annotation: string; do: "set-class" | "set-attributes" | "set-shape" | "delete" }>;
export type NewAnnotation = Extract<Edit, { do: "add" }>;

/** The edits since the last commit, newest first. */
export const edits = (dataset: string, branch = MAIN) =>
  queryOptions({
    queryKey: datasetKey(dataset, "edits", branch),
    queryFn: ({ signal }) => call("get", "/api/v1/datasets/{dataset}/edits", { path: { dataset }, query: branchQuery(branch), signal }),
  });

/** Stage edits as one change; a repetition with the same id changes nothing. */
export const edit = (dataset: string, body: EditsBody, branch = MAIN) =>
  call("post", "/api/v1/datasets/{dataset}/edits", { path: { dataset }, query: branchQuery(branch), body });

/** Undo the last edit of the working state, or the one that is meant if it is the last. */
export const undo = (dataset: string, id = "", branch = MAIN) =>
  call("post", "/api/v1/datasets/{dataset}/edits/undo", { path: { dataset }, query: branchQuery(branch), body: { edit: id } });

/** Bring back the edit that was undone last. */
export const redo = (dataset: string, branch = MAIN) =>
  call("post", "/api/v1/datasets/{dataset}/edits/redo", { path: { dataset }, query: branchQuery(branch), body: { edit: "" } });

const WORK = "/api/v1/assignments";
const ONE = `${WORK}/{assignment}` as const;

/** An assignment; its numbers are those of the canvas, which the description of the API writes as lists. */
export const readWork = async (assignment: string, signal?: AbortSignal) =>
  (await call("get", ONE, { path: { assignment }, ...(signal ? { signal } : {}) })) as unknown as Work;

export const workQuery = (assignment: string) =>
  queryOptions({
    queryKey: ["work", assignment], queryFn: ({ signal }) => readWork(assignment, signal),
    // What is on the page changes by operations after that; reading it again would lose nothing and show nothing new.
    staleTime: Infinity, refetchOnWindowFocus: false,
  });

export const myWork = () => queryOptions({ queryKey: ["my-work"], queryFn: ({ signal }) => call("get", WORK, { signal }) });

export type Wanted = { dataset?: string; batch?: string; kind?: Work["kind"] };
/** Lease the next image, or go on with the one that is leased already; null where nothing waits. */
export const nextWork = async (wanted: Wanted) => (await call("post", `${WORK}/next`, { body: { dataset: "", batch: "", kind: "", ...wanted } })).work as unknown as Work | null;
export const sendOperations = async (assignment: string, operations: readonly Operation[]) =>
  (await call("post", `${ONE}/operations`, { path: { assignment }, body: { operations } as unknown as OperationsBody })) as unknown as Recorded;
/** `active_ms`: since the last operation. */
export const submitWork = (assignment: string, body: { id: string; active_ms: number }) => call("post", `${ONE}/submit`, { path: { assignment }, body: { note: "", ...body } });
export const leaveWork = (assignment: string, how: "skip" | "release", reason: string) =>
  call("post", how === "skip" ? `${ONE}/skip` : `${ONE}/release`, { path: { assignment }, body: { reason } });
export type Question = { text: string; annotation?: string; place?: readonly [number, number]; class?: string };
export const askAbout = (assignment: string, { place, ...question }: Question) =>
  call("post", `${ONE}/ask`, { path: { assignment }, body: { annotation: "", class: "", ...question, ...(place ? { place: [...place] } : {}) } });
export const reviewWork = (assignment: string, verdict: JudgementBody) => call("post", `${ONE}/review`, { path: { assignment }, body: verdict });
export const workThumbnail = (assignment: string) => `${WORK}/${assignment}/image?size=256`;
