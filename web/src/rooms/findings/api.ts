import { queryOptions, type QueryClient } from "@tanstack/react-query";
import { datasetKey, PAGE } from "@/api/cache";
import { call } from "@/api/client";
import { quoted } from "@/api/where";
import type { DecisionBody, FindingPage, ListedFinding, Match } from "@/api/schema.gen";
import type { FindingsSearch } from "./search";

export type FindingState = NonNullable<ListedFinding["state"]>;

/** The list that is open: a run, the event it was opened at, and the filters. */
export type List = Pick<FindingsSearch, "where" | "check" | "class" | "fault" | "severity" | "shown" | "assignee" | "as_of"> & { run: string };

const TO_DO: FindingState[] = ["open", "assigned"];
const DECIDED: FindingState[] = ["fixed", "rejected", "accepted", "closed"];
const statesOf = ({ shown }: List): FindingState[] => (shown === "all" ? [] : shown === "decided" ? DECIDED : TO_DO);

const asked = (list: List) => ({
  run: list.run, state: statesOf(list), where: list.where, check: list.check, class: list.class, fault: list.fault,
  severity: list.severity, assignee: list.assignee, as_of: list.as_of,
});

/** Everything that the open list shows, for a bulk action. */
export const matchOf = (list: List): Match => ({
  run: list.run, state: statesOf(list), where: list.where ?? "", check: list.check ?? "", class: list.class ?? "", fault: list.fault ?? "",
  severity: list.severity ?? "", assignee: list.assignee ?? "", as_of: list.as_of ?? null,
});

export const listKey = (dataset: string) => datasetKey(dataset, "finding-list");
export const groupsKey = (dataset: string) => datasetKey(dataset, "finding-groups");

/** One page of the work list. */
export const listPage = (dataset: string, list: List, group: string, page: number) =>
  queryOptions({
    queryKey: [...listKey(dataset), list, group, page],
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/findings", {
        path: { dataset }, query: { ...asked(list), group_by: group, offset: page * PAGE, limit: PAGE }, signal,
      }),
    enabled: list.run !== "",
    retry: false,
  });

export const groups = (dataset: string, list: List, group: string) =>
  queryOptions({
    queryKey: [...groupsKey(dataset), list, group],
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/finding-groups", { path: { dataset }, query: { ...asked(list), group_by: group }, signal }),
    enabled: list.run !== "" && group !== "",
    retry: false,
  });

/** A few open findings on samples whose name contains this text, at their places in the list with the query `samplesNamed`. */
export const findingsNamed = (dataset: string, run: string, text: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "findings-named", run, text),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/findings", {
        path: { dataset }, query: { run, state: TO_DO, where: samplesNamed(text), group_by: "check", limit: 8 }, signal,
      }),
    gcTime: 60_000,
    retry: false,
  });
export const samplesNamed = (text: string): string => `name contains ${quoted(text)}`;

/** A finding with its history. */
export const life = (dataset: string, key: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "finding-life", key),
    queryFn: () => call("get", "/api/v1/datasets/{dataset}/finding-lives/{key}", { path: { dataset, key } }),
    retry: false,
  });

/** A few samples with annotations of a class, to compare with. */
export const examples = (dataset: string, ref: string, name: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "examples", ref, name),
    queryFn: () =>
      call("get", "/api/v1/datasets/{dataset}/samples", {
        path: { dataset }, query: { ref, where: `class = ${JSON.stringify(name)}`, limit: 40 },
      }),
    staleTime: 300_000,
    retry: false,
  });

const STATES = ["open", "assigned", "fixed", "rejected", "accepted"] as const;

/** The findings on a sample with their states, also the decided ones. */
export const ofSample = (dataset: string, sample: string) =>
  queryOptions({
    queryKey: datasetKey(dataset, "findings-of", sample),
    queryFn: ({ signal }) =>
      call("get", "/api/v1/datasets/{dataset}/finding-lives", { path: { dataset }, query: { sample, state: [...STATES], limit: 200 }, signal }),
  });

export type Decision = Omit<DecisionBody, "keys" | "match" | "skip">;
/** What an action is about: some findings, or all that the list shows. */
export type Chosen = { keys: string[] } | { match: Match };

export const decide = (dataset: string, chosen: Chosen, decision: Decision) =>
  call("post", "/api/v1/datasets/{dataset}/finding-decisions", { path: { dataset }, body: { ...chosen, ...decision, skip: true } });

/** Stage the repairs that these findings suggest, or give their annotations another class. */
export const fix = (dataset: string, branch: string, chosen: Chosen, set_class = "") =>
  call("post", "/api/v1/datasets/{dataset}/finding-fixes", { path: { dataset }, query: { branch: branch || undefined }, body: { ...chosen, set_class } });

/** Undo a decision or a fix; without an id, your newest. */
export const undo = (dataset: string, action = "") =>
  call("post", "/api/v1/datasets/{dataset}/finding-undos", { path: { dataset }, body: { action } });

/** What a run changed. */
export const changes = (dataset: string, run: string) =>
  call("get", "/api/v1/datasets/{dataset}/finding-changes", { path: { dataset }, query: { run } });

/** Change findings in every loaded page of the list. Returns: those that were changed, as they were. */
export function patchList(client: QueryClient, dataset: string, change: (finding: ListedFinding) => ListedFinding): ListedFinding[] {
  const before = new Map<string, ListedFinding>();
  client.setQueriesData<FindingPage>({ queryKey: listKey(dataset) }, (page) => {
    if (!page) return page;
    const items = page.items.map((item) => {
      const next = change(item);
      if (next !== item) before.set(item.key, item);
      return next;
    });
    return { ...page, items };
  });
  return [...before.values()];
}
