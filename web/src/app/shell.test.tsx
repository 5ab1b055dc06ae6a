import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { Shell } from "@/app/shell";
import { showPage } from "@/testing/pages";
import { checkResults, checkSummary, datasetRow, finding, findingPage, gridSample, logged, neverChecked, overview, run, facets } from "@/testing/records";
import { answer, answerEvents, keepWaiting, refuse, sentTo } from "@/testing/server";

const SESSION = "/api/v1/session";
const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}";
const CURRENT = "/api/v1/runs/current";
const SHA = "1".repeat(64);

beforeEach(() => {
  answer("get", SESSION, {}, { actor: { id: "local:ana", name: "ana", roles: ["owner"] }, workspace: { name: "city" }, version: "0.1.0", accounts: false, may: ["people.read", "audit.read"] });
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: false, provider: "" });
  answer("get", "/api/v1/datasets", {}, { items: [datasetRow()] });
  answer("get", "/api/v1/runs", {}, { items: [] });
  answer("get", CURRENT, {}, { items: [], latest: null });
  answer("get", AT, ONE, overview());
  answer("get", `${AT}/refs`, ONE, { items: [{ name: "main", kind: "branch", commit: SHA, protection: null }, { name: "spring", kind: "tag", commit: SHA, protection: null }] });
  answer("get", `${AT}/log`, ONE, { items: [logged()], dirty: false, changes: null });
  answer("get", `${AT}/checks`, ONE, neverChecked);
  answer("get", `${AT}/releases`, ONE, { items: [] });
  answer("get", `${AT}/samples`, ONE, { commit: SHA, total: 1, offset: 0, items: [gridSample({ name: "night-0007.jpg" })] });
});

test("the sidebar leads to every room, and to the pages of the open dataset", async () => {
  showPage("/d/streets", Shell);
  const nav = within(await screen.findByRole("navigation", { name: "Main" }));
  await nav.findByRole("link", { name: /^streets/ });
  const titles = nav.getAllByRole("link").map((link) => link.textContent);
  expect(titles).toEqual(["city", "Home", "Annotate", "streets305", "Overview", "Samples", "Map", "Guideline", "Labelling", "Checks", "Findings", "History", "Merges", "Releases", "Runs", "Runs", "Maturity", "Audit"]);
  expect(nav.getByText("ana (owner)")).toBeTruthy();
});

test("what a session may not do is not in the sidebar", async () => {
  answer("get", SESSION, {}, { actor: { id: "person:v", name: "v@example.org", roles: [] }, workspace: { name: "city" }, version: "0.1.0", accounts: true, may: [] });
  showPage("/", Shell);
  const sidebar = within(await screen.findByRole("navigation", { name: "Main" }));
  expect(await sidebar.findByRole("link", { name: "Account" })).toBeTruthy();
  expect(sidebar.queryByRole("link", { name: "People" })).toBeNull();
  expect(sidebar.queryByRole("link", { name: "Audit" })).toBeNull();
});

test("two keys lead to a page, the palette to every command and dataset", async () => {
  const { user, address } = showPage("/d/streets", Shell);
  await screen.findByRole("heading", { name: "Overview" });
  await user.keyboard("gh");
  expect(await screen.findByRole("heading", { name: "History" })).toBeTruthy();
  expect(address()).toBe("/d/streets/history");
  await user.keyboard("{Control>}k{/Control}");
  const palette = within(await screen.findByRole("dialog", { name: "Commands" }));
  await user.keyboard("compare");
  expect(palette.getAllByRole("option")[0]?.textContent).toContain("Compare the two selected commits");
  await user.keyboard("{Control>}a{/Control}zzz");
  expect(await palette.findByText("No match")).toBeTruthy();
});

test("the shortcuts are listed by group", async () => {
  const { user } = showPage("/d/streets/history", Shell);
  await screen.findByRole("heading", { name: "History" });
  await user.keyboard("?");
  const sheet = within(await screen.findByRole("dialog", { name: "Keyboard shortcuts" }));
  const groups = sheet.getAllByRole("heading").map((heading) => heading.textContent);
  expect(groups).toEqual(["Keyboard shortcuts", "Page", "Dataset", "Go to", "App"]);
  expect(sheet.getByText("Copy a link to this commit")).toBeTruthy();
});

test("the state picker switches to a tag, and every page keeps it", async () => {
  const { user, address } = showPage("/d/streets", Shell);
  await user.click(await screen.findByRole("button", { name: /^State shown: branch main/ }));
  await user.click(await screen.findByRole("option", { name: /spring/ }));
  await waitFor(() => expect(address()).toBe("/d/streets?ref=spring"));
  await user.keyboard("gh");
  await waitFor(() => expect(address()).toBe("/d/streets/history?ref=spring"));
});

test("one works on a branch, which the address and the picker name; a new one starts from it", async () => {
  const BRANCHES = `${AT}/branches` as const;
  answer("get", `${AT}/refs`, ONE, { items: ["main", "night"].map((name) => ({ name, kind: "branch", commit: SHA, protection: null })) } as never);
  answer("post", BRANCHES, ONE, { branch: "dusk", commit: SHA });
  const { user, address } = showPage("/d/streets", Shell);
  await user.click(await screen.findByRole("button", { name: /^State shown: branch main/ }));
  await user.click(await screen.findByRole("option", { name: /^night/ }));
  await waitFor(() => expect(address()).toBe("/d/streets?ref=night%2B"));
  expect(await screen.findByRole("button", { name: /^State shown: branch night/ })).toBeTruthy();
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Commands" }), "Create a branch{Enter}");
  await user.type(await screen.findByRole("textbox", { name: "Name" }), "dusk{Enter}");
  await waitFor(() => expect(address()).toBe("/d/streets?ref=dusk%2B"));
  expect(sentTo("post", BRANCHES, ONE)[0]?.body).toEqual({ name: "dusk", from: "night" });
});

test("without a session it asks for the token", async () => {
  refuse("get", SESSION, {}, { status: 401, code: "not-signed-in", detail: "sign in first" });
  refuse("post", SESSION, {}, { status: 401, code: "token-invalid", detail: "wrong token" });
  refuse("get", "/api/v1/datasets", {}, { status: 401, code: "not-signed-in", detail: "sign in first" });
  const { user } = showPage("/", Shell);
  await user.type(await screen.findByLabelText("Token"), "abc");
  await user.click(screen.getByRole("button", { name: "Open" }));
  expect(await screen.findByText("This token is not valid for this server")).toBeTruthy();
  expect(sentTo("post", SESSION, {})[0]?.body).toEqual({ token: "abc" });
});

test("what was typed at the sign-in stays while the session is asked for again", async () => {
  refuse("get", SESSION, {}, { status: 401, code: "not-signed-in", detail: "sign in first" });
  refuse("get", "/api/v1/datasets", {}, { status: 401, code: "not-signed-in", detail: "sign in first" });
  const { user } = showPage("/", Shell);
  await user.type(await screen.findByLabelText("Token"), "abc");
  const before = sentTo("get", SESSION, {}).length;
  keepWaiting("get", SESSION, {});
  window.dispatchEvent(new Event("visibilitychange")); // back from another window, such as a password manager
  await waitFor(() => expect(sentTo("get", SESSION, {}).length).toBeGreaterThan(before));
  expect(screen.getByLabelText<HTMLInputElement>("Token").value).toBe("abc");
});

test("while the session loads the page is there already", async () => {
  keepWaiting("get", SESSION, {});
  showPage("/", Shell);
  expect(await screen.findByRole("heading", { name: "Home" })).toBeTruthy();
});

test("an address without a page", async () => {
  showPage("/nowhere", Shell);
  expect(await screen.findByRole("heading", { name: "Page not found" })).toBeTruthy();
});

test("the palette finds samples, classes, refs and commits by name", async () => {
  answer("get", `${AT}/edits`, ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", `${AT}/facets`, ONE, facets());
  answer("get", `${AT}/unknown-values`, ONE, { items: [] });
  const { user, address } = showPage("/d/streets", Shell);
  await screen.findByRole("heading", { name: "Overview" });
  await user.keyboard("{Control>}k{/Control}");
  const palette = within(await screen.findByRole("dialog", { name: "Commands" }));
  await user.keyboard("truck");
  expect((await palette.findByRole("option", { name: /truck.*Classes/ })).textContent).toContain("239 samples");
  await user.keyboard("{Control>}a{/Control}spring");
  await palette.findByRole("option", { name: /spring.*Branches and tags/ });
  await user.keyboard("{Control>}a{/Control}first imp");
  await palette.findByRole("option", { name: /first import.*Commits/ });
  await user.keyboard("{Control>}a{/Control}night");
  await palette.findByRole("option", { name: /night-0007.*Samples/ });
  await waitFor(() => expect(sentTo("get", `${AT}/samples`, ONE).at(-1)?.query).toEqual({ ref: "", where: 'name contains "night"', limit: "8" }));
  await user.keyboard("{Control>}a{/Control}truck");
  await user.click(await palette.findByRole("option", { name: /truck.*Classes/ }));
  await waitFor(() => expect(address()).toBe("/d/streets/samples?where=class+%3D+%22truck%22"));
});

/** A run in its second stage. */
function inProgress() {
  const going = run({ id: "r1", state: "running", duration_s: null });
  return { ...going, stages: going.stages.flatMap((stage) => [stage, { ...stage, name: "2 check", state: "running" as const }]) };
}

test("the palette finds checks and findings: by check, by class, by the name of the sample", async () => {
  const report = checkResults({ checks: [checkSummary({ name: "label-errors", title: "Wrong classes", findings: 31 }), checkSummary({ name: "blur", title: "Blurred images", findings: 0, counts: {} })] });
  answer("get", `${AT}/checks`, ONE, report);
  answer("get", `${AT}/contract`, ONE, { sha256: SHA, text: null, template: null, purposes: [], coverage: [], warnings: [] });
  answer("get", `${AT}/findings`, ONE, findingPage(finding({ position: 4, check: "label-errors", reason: "labelled car, it looks like truck" })));
  answer("get", `${AT}/finding-groups`, ONE, { total: 31, groups: [{ value: "car", findings: 12, open: 12, counts: { error: 0, warning: 12, info: 0 } }, { value: null, findings: 2, open: 2, counts: { error: 0, warning: 2, info: 0 } }] });
  keepWaiting("get", `${AT}/samples/{sample_id}`, { ...ONE, sample_id: "01a22458" });
  keepWaiting("get", `${AT}/finding-lives/{key}`, { ...ONE, key: "73f6c6d2" });
  const { user, address } = showPage("/d/streets/history?ref=spring", Shell);
  await screen.findByRole("heading", { name: "History" });
  const search = async (typed: string) => {
    await user.keyboard("{Control>}k{/Control}");
    const palette = within(await screen.findByRole("dialog", { name: "Commands" }));
    await user.keyboard(typed);
    return palette;
  };
  let palette = await search("label-err");
  expect((await palette.findByRole("option", { name: /Wrong classes \(label-errors\).*Findings/ })).textContent).toContain("31 findings");
  await user.click(await palette.findByRole("option", { name: /Wrong classes \(label-errors\).*Checks/ }));
  await waitFor(() => expect(address()).toBe("/d/streets/checks?ref=spring&check=label-errors"));
  palette = await search("blurred");
  await palette.findByRole("option", { name: /Blurred images.*Checks/ });
  expect(palette.queryByRole("option", { name: /Blurred images.*Findings/ })).toBeNull();
  await user.keyboard("{Control>}a{/Control}on car");
  await user.click(await palette.findByRole("option", { name: /Findings on car.*12 findings/ }));
  await waitFor(() => expect(address()).toContain("/d/streets/findings?ref=spring"));
  expect(new URLSearchParams(address().split("?")[1]).get("class")).toBe("car");
  palette = await search("0241");
  await user.click(await palette.findByRole("option", { name: /street-0241.jpg: labelled car.*Findings/ }));
  await waitFor(() => expect(new URLSearchParams(address().split("?")[1]).get("at")).toBe("4"));
  expect(sentTo("get", `${AT}/findings`, ONE).find(({ query }) => query.limit === "8" && query.where === 'name contains "0241"')?.query).toMatchObject({ group_by: "check" });
});

test("what runs stays in sight on every page, with its stages or its time", async () => {
  answer("get", CURRENT, {}, { items: [inProgress()], latest: null });
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, { text: "", sha256: null } as never);
  keepWaiting("post", `${AT}/checks`, ONE);
  const { user } = showPage("/d/streets/checks", Shell);
  const tray = within(await screen.findByRole("region", { name: "Running now" }));
  expect(await tray.findByText("1 of 2 stages")).toBeTruthy();
  expect(tray.getByRole("link", { name: "streets" }).getAttribute("href")).toBe("/runs/r1");
  await user.keyboard("r");
  expect(await tray.findByText("Checks of streets")).toBeTruthy();
  await user.keyboard("gh");
  await screen.findByRole("heading", { name: "History" });
  expect(tray.getByText("Checks of streets")).toBeTruthy();
});

test("a run that starts, goes on and ends is shown by the tray and by home without asking again", async () => {
  const events = answerEvents(CURRENT, {}, { items: [], latest: null });
  showPage("/", Shell);
  await screen.findByRole("heading", { name: "Needs attention" });
  await waitFor(() => expect(events.isOpen()).toBe(true));
  const going = inProgress();
  const { stages: _stages, error: _error, changed: _changed, ...row } = going;
  answer("get", "/api/v1/runs", {}, { items: [row] });
  events.send({ items: [going], latest: row });
  expect(await screen.findByText("1 of 2 stages")).toBeTruthy();
  expect(await screen.findByText("Running")).toBeTruthy();
  events.send({ items: [{ ...going, stages: going.stages.map((stage) => ({ ...stage, state: "done" as const })) }], latest: row });
  expect(await screen.findByText("2 of 2 stages")).toBeTruthy();
  const failed = { ...row, state: "failed" as const };
  answer("get", "/api/v1/runs", {}, { items: [failed] });
  events.send({ items: [], latest: failed });
  expect(await screen.findByText("Run failed")).toBeTruthy();
  expect(screen.queryByRole("region", { name: "Running now" })).toBeNull();
  expect(sentTo("get", CURRENT, {}).filter(({ accept }) => accept === "").length).toBe(1);
});

test("a stream that ends is opened again", async () => {
  const first = answerEvents(CURRENT, {}, { items: [], latest: null });
  showPage("/", Shell);
  await waitFor(() => expect(first.isOpen()).toBe(true));
  const second = answerEvents(CURRENT, {}, { items: [inProgress()], latest: null });
  first.end();
  expect(await screen.findByText("1 of 2 stages")).toBeTruthy();
  expect(second.isOpen()).toBe(true);
});

test.each([["", 1], ["?ref=spring", 0], ["?ref=111111111111", 0]])("a page of a state that moves says so: %s", async (search, times) => {
  showPage(`/d/streets${search}`, Shell);
  await screen.findByRole("heading", { name: "Overview" });
  await screen.findByRole("button", { name: /^State shown/ });
  await waitFor(() => expect(screen.queryAllByText("moving")).toHaveLength(times));
});
