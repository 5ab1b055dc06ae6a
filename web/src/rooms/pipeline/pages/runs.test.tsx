import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { run } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const LIST = "/api/v1/runs";
const { stages: _stages, error: _error, changed: _changed, ...row } = run();

test("loading", async () => {
  keepWaiting("get", LIST, {});
  showPage("/runs");
  expect(await screen.findByRole("status", { name: "Loading the runs" })).toBeTruthy();
});

test("no runs, of a dataset or at all", async () => {
  answer("get", LIST, {}, { items: [] });
  showPage("/runs?dataset=streets");
  expect(await screen.findByRole("heading", { name: "No pipeline has run on streets" })).toBeTruthy();
  expect(screen.getByText("calotype run pipeline.yaml")).toBeTruthy();
  expect(sentTo("get", LIST, {})[0]?.query).toEqual({ dataset: "streets" });
  expect(screen.getByRole("link", { name: "Show all datasets" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", LIST, {}, { status: 502, code: "storage-failed", detail: "disk error" });
  showPage("/runs");
  expect((await screen.findByRole("alert")).textContent).toContain("Disk error");
});

test("runs are listed with their state", async () => {
  answer("get", LIST, {}, { items: [row, { ...row, id: "r2", pipeline: "digits", state: "failed" }] });
  showPage("/runs");
  const first = within((await screen.findAllByRole("row"))[1]!);
  expect(first.getByText("Done")).toBeTruthy();
  expect(first.getByText("1 min 8 s")).toBeTruthy();
  expect(first.getAllByRole("link", { name: "streets" }).map((link) => link.getAttribute("href"))).toEqual(["/runs/01a22458aeb37eb6", "/d/streets"]);
  expect(screen.getByText("Failed")).toBeTruthy();
  expect(sentTo("get", LIST, {})[0]?.query).toEqual({});
});
