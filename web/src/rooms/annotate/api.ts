import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call, part } from "@/api/client";
import type { EditsBody } from "@/api/schema.gen";
import { branchQuery, MAIN } from "@/kit/branch";
import type { MyWork, Operation, Recorded, Thread, Work } from "./components/work/types";

/** Calls of labelling work, whose values are described in `components/work/types.ts`. */
const callWork = <T>(method: "get" | "post", path: string, body?: unknown, signal?: AbortSignal): Promise<T> =>
  (call as unknown as (method: string, path: string, request: object) => Promise<T>)(method, path, { ...(body === undefined ? {} : { body }), ...(signal ? { signal } : {}) });

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

/** The addresses of labelling work. */
const WORK = "/api/v1/work";
const at = (assignment: string) => `${WORK}/${part(assignment)}`;

export const workQuery = (assignment: string) =>
  queryOptions({
    queryKey: ["work", assignment], queryFn: ({ signal }) => callWork<Work>("get", at(assignment), undefined, signal),
    // What is on the page goes on from there by operations; reading it again would lose nothing and show nothing new.
    staleTime: Infinity, refetchOnWindowFocus: false,
  });

export const myWork = () => queryOptions({ queryKey: ["my-work"], queryFn: ({ signal }) => callWork<MyWork>("get", WORK, undefined, signal) });

export type Wanted = { dataset?: string; batch?: string; kind?: Work["kind"] };
/** Lease the next image, or go on with the one that is leased already. */
export const nextWork = (wanted: Wanted) => callWork<{ work: Work | null; waiting: { annotate: number; review: number } }>("post", `${WORK}/next`, wanted);
export const readWork = (assignment: string) => callWork<Work>("get", at(assignment));
export const sendOperations = (assignment: string, operations: readonly Operation[]) => callWork<Recorded>("post", `${at(assignment)}/operations`, { operations });
export const submitWork = (assignment: string, body: { id: string; active_ms: number }) => callWork<unknown>("post", `${at(assignment)}/submit`, body);
export const leaveWork = (assignment: string, how: "skip" | "release", reason: string) => callWork<unknown>("post", `${at(assignment)}/${how}`, { reason });
export type Question = { text: string; annotation?: string; place?: readonly [number, number]; class?: string };
export const askAbout = (assignment: string, question: Question) => callWork<Thread>("post", `${at(assignment)}/ask`, question);
export type Verdict = {
  id: string; verdict: "accept" | "send-back"; active_ms: number; category?: string; note?: string;
  annotations?: readonly { id: string; category: string; note: string }[];
};
export const reviewWork = (assignment: string, verdict: Verdict) => callWork<unknown>("post", `${at(assignment)}/review`, verdict);
export const workImage = (assignment: string) => `${at(assignment)}/image`;
export const workThumbnail = (assignment: string) => `${at(assignment)}/image?thumbnail=1`;
