import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { Shell } from "@/app/shell";
import { showPage } from "@/testing/pages";
import { datasetRow, logged, neverChecked, overview } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const SESSION = "/api/v1/session";
const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}";
const SHA = "1".repeat(64);

beforeEach(() => {
  answer("get", SESSION, {}, { actor: { id: "local:ana", name: "ana", roles: ["owner"] }, workspace: { name: "city" }, version: "0.1.0" });
  answer("get", "/api/v1/datasets", {}, { items: [datasetRow()] });
  answer("get", AT, ONE, overview());
  answer("get", `${AT}/refs`, ONE, { items: [{ name: "main", kind: "branch", commit: SHA, protection: null }, { name: "spring", kind: "tag", commit: SHA, protection: null }] });
  answer("get", `${AT}/log`, ONE, { items: [logged()], dirty: false, changes: null });
  answer("get", `${AT}/checks`, ONE, neverChecked);
});

test("the sidebar leads to every room, and to the pages of the open dataset", async () => {
  showPage("/d/streets", Shell);
  const nav = within(await screen.findByRole("navigation", { name: "Main" }));
  await nav.findByRole("link", { name: /^streets/ });
  const titles = nav.getAllByRole("link").map((link) => link.textContent);
  expect(titles).toEqual(["city", "Datasets1", "streets305", "Overview", "Samples", "Map", "Checks", "Findings", "History", "Merges", "Releases", "Runs", "Runs", "Audit"]);
  expect(nav.getByText("ana (owner)")).toBeTruthy();
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
  expect(palette.getByText("No matching command")).toBeTruthy();
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
  await user.click(await screen.findByRole("button", { name: /^State shown: main/ }));
  await user.click(await screen.findByRole("option", { name: /spring/ }));
  await waitFor(() => expect(address()).toBe("/d/streets?ref=spring"));
  await user.keyboard("gh");
  await waitFor(() => expect(address()).toBe("/d/streets/history?ref=spring"));
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

test("while the session loads the page is there already", async () => {
  keepWaiting("get", SESSION, {});
  showPage("/", Shell);
  expect(await screen.findByRole("heading", { name: "Datasets" })).toBeTruthy();
});

test("an address without a page", async () => {
  showPage("/nowhere", Shell);
  expect(await screen.findByRole("heading", { name: "Page not found" })).toBeTruthy();
});
