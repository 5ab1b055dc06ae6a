import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { showPage } from "@/testing/pages";
import { datasetRow } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const AT = "/api/v1/audit";
const event = { seq: 29, at: "2026-11-28T22:49:49.047Z", actor: "person:1", actor_name: "Ana", verb: "release.create", subject: "streets", details: { version: "1.0.0" } };

beforeEach(() => {
  answer("get", "/api/v1/datasets", {}, { items: [datasetRow()] });
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
});

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
  for (const text of ["29", "2026-11-28 22:49:49", "Ana", "release.create"]) expect(row.getByText(text)).toBeTruthy();
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

test("filters are in the address; a person's name leads to their timeline, a number to the event", async () => {
  answer("get", AT, {}, { items: [event], intact: true });
  const { user, address } = showPage("/audit?since=7d");
  await user.type(await screen.findByRole("combobox", { name: "Action" }), "release{Enter}");
  await waitFor(() => expect(address()).toBe("/audit?since=7d&verb=release"));
  await user.type(screen.getByRole("textbox", { name: "Person" }), "ana@example.org");
  await user.tab();
  await waitFor(() => expect(sentTo("get", AT, {}).at(-1)?.query).toEqual({ who: "ana@example.org", verb: "release", since: "7d", limit: "200" }));
  expect(screen.getByRole("link", { name: "Export" }).getAttribute("href")).toBe("/api/v1/audit/export?since=7d&verb=release&who=ana%40example.org");
  await user.click(screen.getByRole("link", { name: "Ana" }));
  await waitFor(() => expect(address()).toBe("/audit?who=person%3A1"));
  await user.click(screen.getByRole("link", { name: "29" }));
  await waitFor(() => expect(sentTo("get", AT, {}).at(-1)?.query).toEqual({ seq: "29", limit: "200" }));
  await user.click(screen.getByRole("button", { name: "Only event 29: show all" }));
  await waitFor(() => expect(address()).toBe("/audit"));
});

test("verifying names the first bad event", async () => {
  answer("get", AT, {}, { items: [event], intact: false });
  answer("get", `${AT}/verification`, {}, {
    intact: false, events: 40, root: "ab", first_bad: 7, problems: [{ seq: 7, problem: "event 7 was changed after it was written" }], checkpoints_confirmed: 0, checkpoint: null,
  });
  const { user } = showPage("/audit");
  await user.click(await screen.findByRole("button", { name: "Verify" }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("The first bad event is 7: event 7 was changed after it was written."));
});

test("a checkpoint is downloaded, and the key that signed it is shown", async () => {
  answer("get", AT, {}, { items: [event], intact: true });
  answer("post", `${AT}/checkpoints`, {}, { origin: "calotype-audit/1", size: 29, root: "ab", at: event.at, key: "0123456789abcdef", file: "{}", problems: [] });
  const created = vi.spyOn(URL, "createObjectURL").mockReturnValue("#checkpoint");
  const { user } = showPage("/audit");
  await user.click(await screen.findByRole("button", { name: "Checkpoint" }));
  expect(await screen.findByText("Checkpoint of 29 events, signed with key 0123456789abcdef")).toBeTruthy();
  expect(created).toHaveBeenCalledOnce();
  created.mockRestore();
});

test("a person's timeline is grouped by day, and counts what they did", async () => {
  const earlier = { ...event, seq: 12, at: "2026-11-27T08:00:00.000Z", verb: "dataset.read", details: {} };
  answer("get", AT, {}, { items: [event, { ...event, seq: 28 }, earlier], intact: true });
  const { user, address } = showPage("/audit?who=person%3A1");
  const timeline = within(await screen.findByRole("region", { name: "Timeline" }));
  expect(timeline.getByRole("heading", { name: "Ana" })).toBeTruthy();
  expect(timeline.getByText(/3 events on 2 days, 2026-11-27 to 2026-11-28/)).toBeTruthy();
  expect(screen.getAllByRole("rowheader").map((head) => head.textContent)).toEqual(["2026-11-28 2 events", "2026-11-27 1 event"]);
  expect(screen.getByText("08:00:00")).toBeTruthy();
  await user.click(timeline.getByRole("link", { name: "dataset.read" }));
  await waitFor(() => expect(address()).toBe("/audit?who=person%3A1&verb=dataset.read"));
});

test("events of several people have no timeline", async () => {
  answer("get", AT, {}, { items: [event, { ...event, seq: 28, actor: "person:2", actor_name: "Ana" }], intact: true });
  showPage("/audit?who=Ana");
  expect(await screen.findByText("29")).toBeTruthy();
  expect(screen.queryByRole("region", { name: "Timeline" })).toBeNull();
});

test("events before a day; a day that is none limits nothing", async () => {
  answer("get", AT, {}, { items: [event], intact: true });
  const { user, address } = showPage("/audit?until=2026-13-40");
  const before = await screen.findByLabelText("Before the day (UTC)");
  expect(sentTo("get", AT, {}).at(-1)?.query).toEqual({ limit: "200" });
  await user.type(before, "2026-11-29");
  await waitFor(() => expect(address()).toBe("/audit?until=2026-11-29"));
  expect(sentTo("get", AT, {}).at(-1)?.query).toEqual({ until: "2026-11-29", limit: "200" });
});
