import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { release } from "@/testing/records";
import { answer, keepWaiting, refuse } from "@/testing/server";

const ONE = { dataset: "streets", version: "1.0.0" };
const AT = "/api/v1/datasets/{dataset}/releases/{version}";

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/releases/1.0.0");
  expect(await screen.findByRole("status", { name: "Loading the release" })).toBeTruthy();
});

test("an unknown version", async () => {
  refuse("get", AT, ONE, { status: 404, code: "release-not-found", detail: "streets has no release 1.0.0" });
  showPage("/d/streets/releases/1.0.0");
  expect((await screen.findByRole("alert")).textContent).toContain("streets has no release 1.0.0");
});

test("the card of a release, its losses and its files", async () => {
  answer("get", AT, ONE, release());
  showPage("/d/streets/releases/1.0.0");
  expect(await screen.findByText("Detect what moves on the street")).toBeTruthy();
  expect(screen.getByText("No purpose is set")).toBeTruthy();
  expect(screen.getByText("grouped by scene")).toBeTruthy();
  expect(screen.getByText("30 days")).toBeTruthy();
  expect(screen.getByText("no licence")).toBeTruthy();
  expect(screen.getByText("lost: polygons, 3,686, for example street-0001.jpg")).toBeTruthy();
  const file = screen.getByRole("link", { name: "Download coco/instances.json" });
  expect(file.getAttribute("href")).toBe("/api/v1/datasets/streets/releases/1.0.0/files/coco/instances.json");
  expect(screen.getByText("1 file, 1.2 MB")).toBeTruthy();
});

test("objectives, accepted risks and waivers of the released state", async () => {
  const full = release();
  full.card = {
    ...full.card,
    objectives: [{ name: "recall", metric: "recall", state: "not measured", measured: null, at: "least", target: 0.9, unit: "share", detail: "no model" }],
    standing: {
      states: [{ severity: "error", open: 0, assigned: 0, accepted: 1, rejected: 2, fixed: 3 }],
      accepted: [{ key: "k", check: "blur", severity: "error", sample: "a.jpg", what: "blurred", because: "rain", until: "2027-01-01" }],
      waivers: [{ check: "blur", where: 'light = "night"', because: "night is dark", owner: "ben", until: "2027-02-01", findings: 7 }],
    },
  };
  answer("get", AT, ONE, full);
  showPage("/d/streets/releases/1.0.0");
  expect(await screen.findByRole("heading", { name: "Findings by state" })).toBeTruthy();
  expect(screen.getByText("Not measured")).toBeTruthy();
  const rows = screen.getAllByRole("row").map((row) => within(row).queryAllByRole("cell").map((cell) => cell.textContent));
  expect(rows).toContainEqual(["Error", "0", "0", "1", "2", "3"]);
  expect(rows).toContainEqual(["blur", 'light = "night"', "7", "night is dark", "ben", "2027-02-01"]);
});

test("what differs from the release before leads to the diff", async () => {
  const full = release();
  const none = { added: 0, removed: 0, changed: 0 };
  full.card = {
    ...full.card, since: { version: "0.9.0", commit: full.commit, same: false, samples: none, annotations: { ...none, added: 4 }, by_label_set: {}, documents: [] },
  };
  answer("get", AT, ONE, full);
  showPage("/d/streets/releases/1.0.0");
  const link = await screen.findByRole("link", { name: "View changes" });
  expect(link.getAttribute("href")).toBe("/d/streets/diff?a=release%2F0.9.0&b=release%2F1.0.0");
  expect(screen.getByRole("link", { name: "0.9.0" }).getAttribute("href")).toBe("/d/streets/releases/0.9.0");
});

test("a release without files, exports or gates", async () => {
  const bare = release({ files: [] });
  bare.card = { ...bare.card, exports: [], gates: [], findings: {}, sizes: {} };
  answer("get", AT, ONE, bare);
  showPage("/d/streets/releases/1.0.0");
  expect(await screen.findByRole("heading", { name: "No files" })).toBeTruthy();
  expect(screen.getByText("0 of 0 green")).toBeTruthy();
});
