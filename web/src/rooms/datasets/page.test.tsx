import { screen, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { datasetRow, overview, neverChecked, run } from "@/testing/records";
import { answer, keepWaiting, refuse } from "@/testing/server";

const LIST = "/api/v1/datasets";

beforeEach(() => answer("get", "/api/v1/runs", {}, { items: [] }));

test("loading", async () => {
  keepWaiting("get", LIST, {});
  showPage("/");
  expect(await screen.findByRole("status", { name: "Loading datasets" })).toBeTruthy();
});

test("an empty workspace shows how to create a dataset", async () => {
  answer("get", LIST, {}, { items: [] });
  showPage("/");
  expect(await screen.findByRole("heading", { name: "No datasets yet" })).toBeTruthy();
  expect(screen.getByText("calotype dataset create crossings")).toBeTruthy();
  expect(screen.getByText("0 datasets")).toBeTruthy();
});

test("an error says what, where and how to fix it, and can be tried again", async () => {
  refuse("get", LIST, {}, { status: 502, code: "storage-failed", detail: "no space left on device", where: "catalog.sqlite", fix: "free some space" });
  const { user } = showPage("/");
  const alert = await screen.findByRole("alert");
  for (const text of ["No space left on device", "catalog.sqlite", "Free some space", "storage-failed"]) expect(alert.textContent).toContain(text);
  answer("get", LIST, {}, { items: [datasetRow()] });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("article", { name: "streets" })).toBeTruthy();
});

test("each dataset shows its counts, gates, commit and releases", async () => {
  answer("get", LIST, {}, {
    items: [
      datasetRow(),
      datasetRow({ name: "digits", samples: 1, annotations: 0, classes: 1, head: null, dirty: true, releases: [], gates: { green: 1, red: 2, missing: 0 } }),
    ],
  });
  showPage("/");
  const streets = within(await screen.findByRole("article", { name: "streets" }));
  for (const text of ["12 gates green", "305", "5,165", "1.0.0"]) expect(streets.getByText(text)).toBeTruthy();
  expect(streets.getByText(/first import/)).toBeTruthy();
  const digits = within(screen.getByRole("article", { name: "digits" }));
  for (const text of ["2 red, 1 green", "Not committed", "no commits yet", "sample", "class"]) expect(digits.getByText(text)).toBeTruthy();
});

test("j selects a dataset and Enter opens it", async () => {
  answer("get", LIST, {}, { items: [datasetRow()] });
  answer("get", "/api/v1/datasets/{dataset}", { dataset: "streets" }, overview());
  answer("get", "/api/v1/datasets/{dataset}/checks", { dataset: "streets" }, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/log", { dataset: "streets" }, { items: [], dirty: false, changes: null });
  const { user, address } = showPage("/");
  await screen.findByRole("article", { name: "streets" });
  await user.keyboard("j");
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "streets" }));
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "Overview" })).toBeTruthy();
  expect(address()).toBe("/d/streets");
});

test("what waits for somebody stands first, with gates and open findings apart", async () => {
  answer("get", LIST, {}, {
    items: [
      datasetRow({ open: { error: 0, warning: 271, info: 0 } }),
      datasetRow({ name: "digits", open: null, dirty: true, gates: { green: 1, red: 2, missing: 0 } }),
      datasetRow({ name: "blank", open: null, samples: 0, head: null, dirty: true, gates: null }),
    ],
  });
  const failed = run({ id: "r2", state: "failed", dataset: "digits", pipeline: "nightly" });
  answer("get", "/api/v1/runs", {}, { items: [failed, run({ id: "r1", state: "failed", dataset: "digits", pipeline: "nightly" }), run({ id: "r0", state: "done" })] });
  showPage("/");
  await screen.findByText("Run failed");
  const links = within(screen.getByRole("heading", { name: "Needs attention" }).closest("section") as HTMLElement).getAllByRole("link");
  expect(links.map((link) => link.querySelector(".pill")?.textContent)).toEqual(["Run failed", "2 red gates", "Uncommitted changes", "271 open findings"]);
  expect(links.map((link) => link.getAttribute("href"))).toEqual(["/runs/r2", "/d/digits/checks", "/d/digits/history", "/d/streets/findings"]);
});

test("when nothing waits, home says so", async () => {
  answer("get", LIST, {}, { items: [datasetRow({ open: { error: 0, warning: 0, info: 0 } })] });
  showPage("/");
  expect(await screen.findByText(/Nothing waits/)).toBeTruthy();
});
