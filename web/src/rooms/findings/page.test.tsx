import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { FindingPage, ListedFinding } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { checkResults, finding, findingPage, neverChecked, overview, sampleDetail } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const D = "/api/v1/datasets/{dataset}" as const;
const LIST = `${D}/findings` as const;
const DECISIONS = `${D}/finding-decisions` as const;
const FIXES = `${D}/finding-fixes` as const;
const UNDOS = `${D}/finding-undos` as const;

const wrong = (n: number, change: Partial<ListedFinding> = {}): ListedFinding => finding({
  position: n, key: `k${n}`, check: "label-errors", fault: null, annotation: `a${n}`, label_set: "ground_truth", class: "car", box: [10, 20, 30, 40],
  reason: `labelled car, it looks like truck (${n})`, facts: { given: "car", suggested: "truck", probability: 0.97, repair: { do: "set-class", class: "truck" } },
  ...change,
});

const counted = (n: number) => ({ total: n, groups: [{ value: "label-errors", findings: n, open: n, counts: { error: 0, warning: n, info: 0 } }] });

function listed(...items: ListedFinding[]) {
  answer("get", LIST, ONE, (): FindingPage => findingPage(...items));
  answer("get", `${D}/finding-groups`, ONE, counted(items.length));
}

beforeEach(() => {
  localStorage.clear();
  answer("get", `${D}/checks`, ONE, checkResults());
  answer("get", D, ONE, overview());
  answer("get", `${D}/samples`, ONE, { commit: null, total: 0, offset: 0, items: [] });
  answer("get", `${D}/samples/{sample_id}`, { ...ONE, sample_id: "01a22458" }, sampleDetail());
  for (const key of ["k0", "k1", "k2", "73f6c6d2"]) refuse("get", `${D}/finding-lives/{key}`, { ...ONE, key }, { status: 404, code: "finding-not-found", detail: "gone" });
});

const detail = () => within(screen.getByRole("article", { name: "Finding" }));
const claim = (n: number) => waitFor(() => expect(detail().getByRole("heading").textContent).toContain(`(${n})`));

test("loading", async () => {
  keepWaiting("get", LIST, ONE);
  answer("get", `${D}/finding-groups`, ONE, counted(0));
  showPage("/d/streets/findings");
  expect(await screen.findByRole("status", { name: "Loading the findings" })).toBeTruthy();
});

test("before the first run the page teaches", async () => {
  answer("get", `${D}/checks`, ONE, neverChecked);
  showPage("/d/streets/findings");
  expect(await screen.findByText("calotype check streets")).toBeTruthy();
});

test("nothing left, and filters without matches name what to drop", async () => {
  listed();
  const { user, address } = showPage("/d/streets/findings");
  expect(await screen.findByText("Nothing left to decide")).toBeTruthy();
  await user.click(screen.getByRole("radio", { name: "Errors" }));
  expect(await screen.findByText("No findings match")).toBeTruthy();
  expect(address()).toContain("severity=error");
  await user.click(screen.getByRole("button", { name: "severity error" }));
  await waitFor(() => expect(address()).not.toContain("severity"));
});

test("an error of the list, and one of the query where it was typed", async () => {
  answer("get", `${D}/finding-groups`, ONE, counted(0));
  refuse("get", LIST, ONE, { status: 404, code: "check-run-not-found", detail: "the run does not exist" });
  const first = showPage("/d/streets/findings");
  expect((await screen.findByRole("alert")).textContent).toContain("The run does not exist");
  refuse("get", LIST, ONE, { status: 422, code: "query-field-unknown", detail: "no field named 'lihgt'", where: "column 1", fix: "did you mean 'light'?" });
  const query = screen.getByRole("combobox", { name: "Query" });
  await first.user.type(query, "lihgt = 1{Enter}");
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("No field named 'lihgt' (column 1)Did you mean 'light'?"));
});

test("full: gates and findings apart, the claim beside label and suggestion, the list in the address", async () => {
  listed(wrong(0), wrong(1, { state: "assigned", assignee: "ben" }));
  const { address } = showPage("/d/streets/findings");
  expect(await screen.findByText("1 open warning")).toBeTruthy();
  expect(screen.getByText("1 gate green")).toBeTruthy();
  await claim(0);
  expect(detail().getByText("97 % sure")).toBeTruthy();
  expect(detail().getByText("Change the class to truck")).toBeTruthy();
  expect(screen.getByText("assigned · ben")).toBeTruthy();
  await waitFor(() => expect(address()).toContain("run=01a22459&as_of=7"));
});

test("keys walk, accept, choose a class, repeat and undo; each shows at once", async () => {
  listed(wrong(0), wrong(1), wrong(2));
  answer("post", FIXES, ONE, (sent) => ({ fix: "f1", findings: (sent.body as { keys: string[] }).keys, left_out: {} }));
  answer("post", UNDOS, ONE, { action: "f1", kind: "fix", findings: ["k1"], skipped: {}, committed: true });
  const { user, address } = showPage("/d/streets/findings");
  await screen.findByRole("article");
  await claim(0);
  await user.keyboard("j");
  await claim(1);
  await user.keyboard("k");
  await claim(0);
  await user.keyboard("a");
  await claim(1);
  expect(address()).toContain("at=1");
  expect(within(screen.getByRole("listbox", { name: "Findings" })).getAllByText("fixed").length).toBe(1);
  await user.keyboard("c");
  await user.type(await screen.findByRole("combobox", { name: "Class" }), "tr{Enter}");
  await claim(2);
  await waitFor(() => expect(sentTo("post", FIXES, ONE).map((sent) => sent.body)).toEqual([
    { keys: ["k0"], set_class: "" }, { keys: ["k1"], set_class: "truck" },
  ]));
  await user.keyboard("u");
  expect(await screen.findByText(/was committed already/)).toBeTruthy();
  expect(sentTo("post", UNDOS, ONE)[0]?.body).toEqual({ action: "f1" });
  expect(within(screen.getByRole("listbox", { name: "Findings" })).getAllByText("fixed").length).toBe(1);
});

test("a reason is asked for once, offered the next time, and repeated with a key", async () => {
  listed(wrong(0), wrong(1), wrong(2));
  answer("post", DECISIONS, ONE, { items: [], decision: "d1", decided: 1, skipped: {} });
  const { user } = showPage("/d/streets/findings");
  await screen.findByRole("article");
  await claim(0);
  await user.keyboard("x");
  await user.type(await screen.findByRole("combobox", { name: "Reason" }), "a toy car{Enter}");
  await claim(1);
  await user.keyboard("x");
  await screen.findByRole("option", { name: /a toy car/ });
  await user.keyboard("1");
  await claim(2);
  await user.keyboard(".");
  await waitFor(() => expect(sentTo("post", DECISIONS, ONE).map((sent) => sent.body)).toEqual(
    ["k0", "k1", "k2"].map((key) => ({ keys: [key], state: "rejected", note: "a toy car", skip: true })),
  ));
});

test("a refused action restores what it changed and says why", async () => {
  listed(wrong(0), wrong(1));
  refuse("post", FIXES, ONE, { status: 409, code: "finding-outdated", detail: "the annotation no longer exists", fix: "run the checks again" });
  const { user } = showPage("/d/streets/findings");
  await screen.findByRole("article");
  await user.keyboard("a");
  expect((await screen.findByRole("alert")).textContent).toContain("the annotation no longer exists");
  expect(within(screen.getByRole("listbox", { name: "Findings" })).queryByText("fixed")).toBeNull();
});

test("all that match are selected by one key, and the answer says what was skipped", async () => {
  listed(wrong(0), wrong(1));
  answer("post", FIXES, ONE, { fix: "f1", findings: ["k0"], left_out: { k1: "it suggests no repair" } });
  const { user } = showPage("/d/streets/findings?severity=warning");
  await screen.findByRole("article");
  await user.click(await screen.findByRole("button", { name: "Select all 2" }));
  await user.keyboard("a");
  expect(await screen.findByText("1 finding fixed, 1 skipped")).toBeTruthy();
  expect(screen.getByText(/1: it suggests no repair/)).toBeTruthy();
  expect(sentTo("post", FIXES, ONE)[0]?.body).toMatchObject({ match: { run: "01a22459", state: ["open", "assigned"], severity: "warning", as_of: 7 } });
});

test("a range is selected with shift", async () => {
  listed(wrong(0), wrong(1), wrong(2));
  const { user } = showPage("/d/streets/findings");
  await screen.findByText("label-errors", { selector: ".group-head span" });
  const rows = within(screen.getByRole("listbox", { name: "Findings" })).getAllByRole("option");
  await user.keyboard("[Space]");
  await waitFor(() => expect(document.querySelector(".findings-count")?.textContent).toContain("1 selected"));
  fireEvent.click(rows[2] as HTMLElement, { shiftKey: true });
  await waitFor(() => expect(document.querySelector(".findings-count")?.textContent).toContain("3 selected"));
});

test("a re-test says what it changed, and the list stays until it is refreshed", async () => {
  listed(wrong(0), wrong(1));
  answer("post", `${D}/checks`, ONE, checkResults({ run: { ...checkResults().run!, id: "newer" } }));
  answer("get", `${D}/checks`, ONE, checkResults());
  answer("get", `${D}/finding-changes`, ONE, { closed: ["a", "b"], still_open: ["c"], new: [], returned: [], expired: [] });
  const { user, address } = showPage("/d/streets/findings");
  await screen.findByRole("article");
  await user.keyboard("R");
  expect(await screen.findByText("closed 2, still open 1")).toBeTruthy();
  expect(address()).toContain("run=01a22459");
  await user.click(screen.getByRole("button", { name: "Show the new list" }));
  await waitFor(() => expect(screen.queryByText("closed 2, still open 1")).toBeNull());
});
