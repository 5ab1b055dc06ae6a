import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";
import { hours } from "./components/stale";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}";
const HOSTILE = [
  "# Cars", "", "Draw the **whole** car.", "", "<script>window.hacked = 1</script>", "<img src=x onerror=alert(1)>", "",
  "[bad](javascript:alert(1)) [good](https://example.org/rules) ![far](https://example.org/far.png)",
].join("\n");

const head = (version: number, more: object = {}) => ({
  dataset: "streets", version, state: "published", changelog: `Change ${version}`, touches: [{ class: "car", class_id: 0, attribute: "occluded" }],
  created_by: "ana", created_at: "2026-11-01T10:00:00Z", published_by: "ana", published_at: "2026-11-01T10:00:00Z", ...more,
});
const changes = (before: number, after: number) => ({
  before, after, lines: ["--- version 1", "+++ version 2", "@@ -1 +1 @@", "-old line", "+new line"],
  changelog: [{ version: after, changelog: `Change ${after}` }], touches: ["car"], examples_added: 0, examples_removed: 0,
});
const read = (version: number, acknowledged: number) => ({
  version, acknowledged_version: acknowledged, acknowledged: acknowledged >= version, changes: changes(acknowledged, version),
});
const car = { labels: 120, samples: 40, hours: 1.25, seconds_each: 37.5, measured: true, reasons: ["guideline"] };
const stale = (labels: number) => ({
  labels, samples: 40, hours: 1.25, by_class: (labels ? { car } : {}) as Record<string, typeof car>, copies: 0, basis: "measured", label_set: "ground_truth", version: 2,
});

function published(text = "# Cars") {
  answer("get", `${AT}/guidelines`, ONE, { items: [head(2), head(1)] });
  answer("get", `${AT}/guideline`, ONE, { ...head(2), text, examples: [] });
  answer("get", `${AT}/guideline/diff`, ONE, changes(1, 2));
  answer("get", `${AT}/guideline/reading`, ONE, read(2, 1));
  answer("get", `${AT}/stale-labels`, ONE, stale(120));
}

test("loading", async () => {
  keepWaiting("get", `${AT}/guidelines`, ONE);
  answer("get", `${AT}/guideline/reading`, ONE, read(0, 0));
  showPage("/d/streets/guideline");
  expect(await screen.findByRole("status", { name: "Loading the guideline" })).toBeTruthy();
});

test("without a guideline it shows how to publish one", async () => {
  answer("get", `${AT}/guidelines`, ONE, { items: [] });
  answer("get", `${AT}/guideline/reading`, ONE, read(0, 0));
  showPage("/d/streets/guideline");
  expect(await screen.findByRole("heading", { name: "No guideline yet" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", `${AT}/guidelines`, ONE, { status: 403, code: "not-permitted", detail: "ana may not read streets" });
  answer("get", `${AT}/guideline/reading`, ONE, read(0, 0));
  showPage("/d/streets/guideline");
  expect((await screen.findByRole("alert")).textContent).toContain("Ana may not read streets");
});

test("the text is shown without running anything that it holds", async () => {
  published(HOSTILE);
  showPage("/d/streets/guideline");
  expect(await screen.findByText("whole")).toBeTruthy();
  const text = document.querySelector(".markdown");
  expect(text?.querySelectorAll("script, img, iframe, [onerror]").length).toBe(0);
  expect("hacked" in window).toBe(false);
  const links = [...(text?.querySelectorAll("a") ?? [])].map((link) => link.getAttribute("href"));
  expect(links).toEqual(["https://example.org/rules"]);
  expect(text?.querySelector("a")?.rel).toBe("noopener noreferrer nofollow");
});

test("versions, what they touch, their changes and stale labels", async () => {
  published();
  const { user, address } = showPage("/d/streets/guideline");
  expect(await screen.findByText("Version 1")).toBeTruthy();
  expect((await screen.findAllByText("new line", { exact: false })).length).toBe(1);
  expect(screen.getAllByText("car.occluded").length).toBe(2);
  const cells = within(await screen.findByRole("table")).getAllByRole("cell").map((cell) => cell.textContent);
  expect(cells).toEqual(["car", "120", "40", "1.3 h"]);
  await user.keyboard("j");
  await waitFor(() => expect(address()).toContain("version=1"));
});

test("what changed is acknowledged by key", async () => {
  published();
  answer("post", `${AT}/guideline/reading`, ONE, read(2, 2));
  const { user } = showPage("/d/streets/guideline");
  expect(await screen.findByRole("heading", { name: "Changed since you read version 1" })).toBeTruthy();
  answer("get", `${AT}/guideline/reading`, ONE, read(2, 2));
  await user.keyboard("a");
  expect(await screen.findByText("acknowledged")).toBeTruthy();
  expect(sentTo("post", `${AT}/guideline/reading`, ONE)[0]?.body).toEqual({ version: 2 });
});

test("hours are short", () => {
  expect([hours(0.001), hours(0.4), hours(12.34)]).toEqual(["1 min", "24 min", "12.3 h"]);
});
