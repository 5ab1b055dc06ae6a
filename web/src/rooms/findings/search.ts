import type { Finding } from "@/api/schema.gen";
import { oneOf, refSearch, text, whole, type Raw, type RefSearch } from "@/kit/search";

/** What the address of the work list holds: the list that was opened, its filters, and the place in it. */
export type Severity = Finding["severity"];
export const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

/** Which states are listed; without one, those that someone still has to decide on. */
export const SHOWN = ["decided", "all"] as const;
export type Shown = (typeof SHOWN)[number];

export type FindingsSearch = RefSearch & {
  /** The run whose findings are listed, and the event that the list was opened at: its rows and order stay. */
  run?: string | undefined;
  as_of?: number | undefined;
  where?: string | undefined;
  group?: string | undefined;
  check?: string | undefined;
  class?: string | undefined;
  fault?: string | undefined;
  severity?: Severity | undefined;
  shown?: Shown | undefined;
  assignee?: string | undefined;
  /** Place of the finding shown, and of the first row on the screen. */
  at?: number | undefined;
  top?: number | undefined;
};

export const findingsSearch = (raw: Raw): FindingsSearch => ({
  ...refSearch(raw),
  run: text(raw, "run"),
  as_of: whole(raw, "as_of", 0, 2 ** 52),
  where: text(raw, "where"),
  group: text(raw, "group"),
  check: text(raw, "check"),
  class: text(raw, "class"),
  fault: text(raw, "fault"),
  severity: oneOf(raw, "severity", SEVERITIES),
  shown: oneOf(raw, "shown", SHOWN),
  assignee: text(raw, "assignee"),
  at: whole(raw, "at", 0, 1e9),
  top: whole(raw, "top", 0, 1e9),
});

/** The filters without the place: a change of one of them opens another list. */
export const FILTERS = ["where", "check", "class", "fault", "severity", "shown", "assignee"] as const;

/** What the address of a sample says of the list that it is opened from, so that the page can go on in it. */
export const fromList = (search: FindingsSearch, run: string, group: string, at: number) => ({
  from: "checks" as const, run, at, group: group || undefined, where: search.where, check: search.check, class: search.class,
  fault: search.fault, severity: search.severity, shown: search.shown, assignee: search.assignee, as_of: search.as_of,
});
