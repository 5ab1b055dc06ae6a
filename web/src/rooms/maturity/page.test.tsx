import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { MaturityReading, PillarState } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const AT = "/api/v1/maturity";
const indicator: PillarState["indicators"][number] = {
  id: "S1", title: "Source and licence recorded", definition: "samples with both / all", unit: "share", value: 0.9899, n: 99, interval: [0.94, 0.998], target: 1,
  at_least: true, window_days: 0, state: "red", why: "", evidence: { what: "samples of release 1.0.0", rows: 99, path: "/d/streets/releases" },
};
const unknown = { ...indicator, id: "S2", title: "Private data looked for", value: null, n: 0, interval: null, state: "unknown" as const, why: "scans are not recorded yet" };
const pillars = (state: PillarState["state"]): PillarState[] =>
  (["security", "quality", "reliability", "usability", "coverage"] as const).map((name) => ({ name, state, indicators: name === "security" ? [indicator, unknown] : [] }));
const reading = (dataset: string, level: number): MaturityReading => ({
  dataset, at: "2026-12-01T08:00:00.000Z", level, pillars: pillars(level ? "green" : "red"),
  advice: [{ indicator: "S1", step: "record source and licence at import", why: "0.9899 where at least 1 is asked for" }],
  suggested_model: "central", suggested_because: "a team learns fastest in one place",
});

test("loading", async () => {
  keepWaiting("get", AT, {});
  showPage("/maturity");
  expect(await screen.findByRole("status", { name: "Loading the evidence" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", AT, {}, { status: 500, code: "bug", detail: "the evidence cannot be read" });
  showPage("/maturity");
  expect((await screen.findByRole("alert")).textContent).toContain("The evidence cannot be read");
});

test("no dataset", async () => {
  answer("get", AT, {}, { level: 0, worst: "", datasets: [] });
  showPage("/maturity");
  expect(await screen.findByRole("heading", { name: "No dataset to assess" })).toBeTruthy();
});

test("the worst dataset is shown with its evidence, another on request, and a past state", async () => {
  answer("get", AT, {}, { level: 0, worst: "streets", datasets: [reading("harbours", 5), reading("streets", 0)] });
  const { user, address } = showPage("/maturity");
  expect(await screen.findByText("level 0 of 5, that of streets")).toBeTruthy();
  const row = within((await screen.findByText("Source and licence recorded")).closest("tr") ?? document.body);
  expect(row.getByText("99 %")).toBeTruthy();
  expect(row.getByText("94 % to 99.8 %")).toBeTruthy();
  expect(row.getByRole("link", { name: "Samples of release 1.0.0: 99" }).getAttribute("href")).toBe("/d/streets/releases");
  expect(screen.getByText("Scans are not recorded yet")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "harbours" }));
  expect(await screen.findByRole("heading", { name: "What raises harbours next" })).toBeTruthy();
  await user.selectOptions(screen.getByLabelText("As of"), "30d");
  await waitFor(() => expect(sentTo("get", AT, {}).at(-1)?.query).toEqual({ at: "30d" }));
  expect(address()).toBe("/maturity?dataset=harbours&at=30d");
});
