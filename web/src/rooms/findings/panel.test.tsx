import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { checkResults, finding, findingPage } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/findings";
const DECISIONS = "/api/v1/datasets/{dataset}/finding-decisions";
const FIXES = "/api/v1/datasets/{dataset}/finding-fixes";

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, checkResults());
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, { sha256: "ab".repeat(32), text: null, template: null, purposes: [], warnings: [] });
});

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/checks");
  const findings = within(await screen.findByRole("region", { name: "Findings" }));
  expect(findings.queryByRole("list")).toBeNull();
  expect(findings.getByText("None selected")).toBeTruthy();
});

test("a run without findings, and filters without matches", async () => {
  answer("get", AT, ONE, findingPage());
  const { user, address } = showPage("/d/streets/checks");
  expect(await screen.findByText("The last run found no problems.")).toBeTruthy();
  await user.click(screen.getByRole("radio", { name: /Errors/ }));
  expect(await screen.findByText("No findings match these filters.")).toBeTruthy();
  expect(address()).toBe("/d/streets/checks?severity=error");
});

test("an error", async () => {
  refuse("get", AT, ONE, { status: 404, code: "run-not-found", detail: "the run no longer exists" });
  showPage("/d/streets/checks");
  expect((await screen.findByRole("alert")).textContent).toContain("The run no longer exists");
});

test("a finding leads to its sample and shows its state", async () => {
  answer("get", AT, ONE, findingPage(
    finding({ annotation: "2425ba06", label_set: "ground_truth", state: "assigned", assignee: "ben" }),
    finding({ position: 1, key: "b", sample: null, sample_name: "gone.jpg", severity: "error" }),
    finding({ position: 2, key: "c", sample: null, sample_name: null, severity: "info", check: "class-balance" }),
  ));
  showPage("/d/streets/checks");
  const link = await screen.findByRole("link", { name: /The image has the same bytes/ });
  expect(link.getAttribute("href")).toBe("/d/streets/samples/01a22458?from=checks&run=01a22459&at=0&ann=2425ba06&labels=ground_truth");
  expect(within(link).getByText("assigned · ben")).toBeTruthy();
  expect(screen.getByText("(no longer in the dataset)")).toBeTruthy();
  expect(screen.getByText("whole dataset")).toBeTruthy();
});

test("selected findings are rejected with a reason", async () => {
  answer("get", AT, ONE, findingPage(finding()));
  answer("post", DECISIONS, ONE, { items: [] });
  const { user } = showPage("/d/streets/checks");
  await user.click(await screen.findByRole("checkbox", { name: "Select exact-duplicates of street-0241.jpg" }));
  expect(screen.getByText("1 selected")).toBeTruthy();
  const reject = screen.getByRole("button", { name: "Reject" });
  expect(reject.hasAttribute("disabled")).toBe(true);
  await user.type(screen.getByRole("textbox", { name: "Reason" }), "a copy on purpose");
  await user.click(reject);
  expect(await screen.findByText("1 finding rejected")).toBeTruthy();
  expect(sentTo("post", DECISIONS, ONE)[0]?.body).toEqual({ keys: ["73f6c6d2"], state: "rejected", note: "a copy on purpose" });
  await waitFor(() => expect(screen.getByText("None selected")).toBeTruthy());
});

test("the suggested repairs are staged, and undone", async () => {
  answer("get", AT, ONE, findingPage(finding(), finding({ position: 1, key: "b", repair: false })));
  answer("post", FIXES, ONE, { fix: "f1", findings: ["73f6c6d2"], left_out: { b: "no repair" } });
  answer("post", `${FIXES}/undo`, ONE, { fix: "f1", findings: ["73f6c6d2"], left_out: {} });
  const { user } = showPage("/d/streets/checks");
  await screen.findAllByRole("checkbox");
  await user.keyboard("a");
  expect(screen.getByText("2 selected")).toBeTruthy();
  await user.keyboard("e");
  expect(await screen.findByText("1 repair staged, 1 skipped; run the checks to close them")).toBeTruthy();
  await user.keyboard("u");
  expect(await screen.findByText("Fix undone: 1 finding reopened")).toBeTruthy();
});

test("a decision that the server refuses is announced", async () => {
  answer("get", AT, ONE, findingPage(finding()));
  refuse("post", FIXES, ONE, { status: 409, code: "finding-changed", detail: "the finding changed" });
  const { user } = showPage("/d/streets/checks");
  await user.click(await screen.findByRole("checkbox"));
  await user.click(screen.getByRole("button", { name: "Fix" }));
  expect(await screen.findByText("the finding changed")).toBeTruthy();
  expect(screen.getByText("1 selected")).toBeTruthy();
});
