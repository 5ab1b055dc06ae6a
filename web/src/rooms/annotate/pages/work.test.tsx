import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { MyWork } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse } from "@/testing/server";
import { workRecord } from "@/testing/work";

const FIGURES: MyWork["figures"] = { submitted: 12, accepted: 9, sent_back: 2, skipped: 1, active_s: 600, median_s: 41.5 };
const BATCH = workRecord().batch;

test("loading", async () => {
  keepWaiting("get", "/api/v1/assignments", {});
  showPage("/annotate");
  expect(await screen.findByRole("status", { name: "Loading your work" })).toBeTruthy();
});

test("a server that refuses", async () => {
  refuse("get", "/api/v1/assignments", {}, { status: 403, code: "not-permitted", detail: "you may not label here", fix: "ask for the right" });
  showPage("/annotate");
  expect((await screen.findByRole("alert")).textContent).toContain("Ask for the right");
});

test("without any work the page says who opens a batch", async () => {
  answer("get", "/api/v1/assignments", {}, { open: [], batches: [], figures: FIGURES });
  showPage("/annotate");
  expect(await screen.findByText("No work waits for you")).toBeTruthy();
});

test("open work, batches and one's own figures; Enter takes the next image", async () => {
  const { assignment, kind, actor, round, lease_until, active_s, note, started_at, submitted_at } = workRecord();
  answer("get", "/api/v1/assignments", {}, {
    open: [{ assignment, kind, actor, state: "sent-back", round, lease_until, active_s, note, started_at, submitted_at, sample: "s1", name: "street-0001.jpg", batch: "first", dataset: "streets" }],
    batches: [{ ...BATCH, state: "open", annotate: 38, review: 0 }], figures: FIGURES,
  });
  answer("post", "/api/v1/assignments/next", {}, { work: null });
  const { user } = showPage("/annotate");
  expect((await screen.findByRole("link", { name: /street-0001\.jpg/ })).getAttribute("href")).toBe("/annotate/a1");
  expect(screen.getByText("38 images to label")).toBeTruthy();
  expect(screen.getByText("42 s")).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(await screen.findByText("No image waits for you")).toBeTruthy();
});
