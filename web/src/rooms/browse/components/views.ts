import { queryOptions } from "@tanstack/react-query";
import { datasetKey } from "@/api/cache";
import { call, part } from "@/api/client";
import type { SavedView } from "@/api/schema.gen";
import { stringifySearch } from "@/kit/search";
import { hiddenOf, hideText, sampleSort, type GridSearch } from "../search";

/** Saved views: queries with their order and display, kept under a name. */
const ONE = "/api/v1/datasets/{dataset}/views/{view}";
const DEFAULT_SET = "ground_truth";

export const views = (dataset: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "views"),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/views", { path: { dataset } }),
  });

export const view = (dataset: string, name: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "views", name),
    queryFn: () => call("get", ONE, { path: { dataset, view: name } }),
    retry: false,
  });

type Spec = Pick<SavedView, "where" | "sort" | "label_set" | "ref" | "within" | "size_px" | "hidden" | "show" | "of_class" | "colour" | "beside" | "against">;

export const save = (dataset: string, name: string, spec: Spec, overwrite: boolean) =>
  call("put", ONE, { path: { dataset, view: name }, body: { ...spec, overwrite } });
export const rename = (dataset: string, name: string, to: string, overwrite: boolean) =>
  call("post", "/api/v1/datasets/{dataset}/views/{view}/name", { path: { dataset, view: name }, body: { name: to, overwrite } });
export const remove = (dataset: string, name: string) => call("delete", ONE, { path: { dataset, view: name } });

/** What is kept of the grid's address. */
export const specOf = ({ where, sort, labels, ref, within, size, hide, show, of, colour, beside, against }: GridSearch): Spec => ({
  where: where ?? "", sort: sampleSort(sort) ?? "name", label_set: labels ?? DEFAULT_SET, ref: ref ?? "", within: within ?? "", size_px: size ?? null,
  hidden: [...hiddenOf(hide)].sort((a, b) => a - b),
  show: show ?? "samples", of_class: of ?? "", colour: colour ?? "", beside: beside ?? "", against: against ?? "",
});

/** The grid's address of a saved view. */
export const searchOf = (saved: SavedView): GridSearch => ({
  ref: saved.ref || undefined, where: saved.where || undefined, sort: saved.sort === "name" ? undefined : saved.sort, within: saved.within || undefined,
  labels: saved.label_set === DEFAULT_SET ? undefined : saved.label_set, size: saved.size_px ?? undefined, hide: hideText(new Set(saved.hidden)),
  show: saved.show === "objects" ? saved.show : undefined, of: saved.of_class || undefined, colour: saved.colour || undefined,
  beside: saved.beside || undefined, against: saved.against || undefined, saved: saved.name,
});

/** Whether the grid shows something else than what was saved. */
export const isChanged = (saved: Spec, search: GridSearch): boolean => {
  const { where, sort, label_set, ref, within, size_px, hidden, show, of_class, colour, beside, against } = saved;
  return JSON.stringify({ where, sort, label_set, ref, within, size_px, hidden, show, of_class, colour, beside, against }) !== JSON.stringify(specOf(search));
};

/** The link to a saved view by its name: it follows later changes of the view. */
export const linkTo = (dataset: string, name: string): string => `${location.origin}/d/${part(dataset)}/samples${stringifySearch({ view: name })}`;
