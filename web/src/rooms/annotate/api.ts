import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call } from "@/api/client";
import type { EditsBody } from "@/api/schema.gen";
import { branchQuery, MAIN } from "@/kit/branch";

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
