import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { datasetRow } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const AT = "/api/v1/audit";
const event = { seq: 29, at: "2026-11-28T22:49:49.047Z", actor: "local:ana", verb: "release.create", subject: "streets", details: { version: "1.0.0" } };

beforeEach(() => answer("get", "/api/v1/datasets", {}, { items: [datasetRow()] }));

test("loading", async () => {
  keepWaiting("get", AT, {});
  showPage("/audit");
  expect(await screen.findByRole("status", { name: "Loading the audit trail" })).toBeTruthy();
});

test("no events", async () => {
  answer("get", AT, {}, { items: [], intact: true });
  showPage("/audit");
  expect(await screen.findByRole("heading", { name: "No events" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", AT, {}, { status: 403, code: "not-allowed", detail: "reading the audit trail needs the role owner" });
  showPage("/audit");
  expect((await screen.findByRole("alert")).textContent).toContain("Reading the audit trail needs the role owner");
});

test("events say who did what; their details unfold; the dataset limits them", async () => {
  answer("get", AT, {}, { items: [event, { ...event, seq: 28, subject: "", verb: "session.open", details: {} }], intact: true });
  const { user, address } = showPage("/audit");
  expect(await screen.findByText("The hash chain is intact.")).toBeTruthy();
  expect(sentTo("get", AT, {})[0]?.query).toEqual({ limit: "200" });
  const row = within(screen.getAllByRole("row")[1]!);
  for (const text of ["29", "2026-11-28 22:49:49", "local:ana", "release.create"]) expect(row.getByText(text)).toBeTruthy();
  await waitFor(() => expect(row.getByRole("link", { name: "streets" }).getAttribute("href")).toBe("/d/streets"));
  expect(row.getByText("version 1.0.0")).toBeTruthy();
  await user.selectOptions(screen.getByRole("combobox", { name: "Dataset" }), "streets");
  await waitFor(() => expect(address()).toBe("/audit?dataset=streets"));
  expect(sentTo("get", AT, {}).at(-1)?.query).toEqual({ dataset: "streets", limit: "200" });
});

test("a broken chain is an alert", async () => {
  answer("get", AT, {}, { items: [event], intact: false });
  showPage("/audit");
  expect((await screen.findByRole("alert")).textContent).toContain("The hash chain is broken.");
});
