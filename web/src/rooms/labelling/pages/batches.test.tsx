import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { BatchAnswer } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const BATCHES = "/api/v1/datasets/{dataset}/batches";
const PATH = { dataset: "streets" };
const AT = "2026-11-30T08:00:00.000Z";
const batch: BatchAnswer = {
  id: "b1", name: "night", dataset: "streets", branch: "batch/night", label_set: "ground_truth", guideline_version: 0, where: 'light = "night"', overlap: 2,
  review: 0.2, priority: 0, due: "2027-01-31T23:59:59.000Z", prelabels: "", min_score: 0, state: "open", created_by: "mia", created_at: AT, people: ["bo", "chi"],
  reviewers: [], median_active_s: 41.4, notices: [],
  progress: { samples: 40, waiting: 20, submitted: 5, accepted: 15, skipped: 0, landed: 10, in_work: 2, sent_back: 1 },
};
const question = {
  id: "q1", kind: "question" as const, category: "", class: "car", state: "open" as const, sample: "s1", annotation: "", place: null, by: "bo", at: AT,
  comments: [{ author: "bo", text: "car or van?", verb: "asked" as const, at: AT }],
};

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}/reviews", PATH, {
    items: [{ batch: "night", sample: "s1", name: "street-0001.jpg", reason: "copies differ", by: ["bo", "chi"], annotations: [3, 4], agreement: 0.85, since: AT }],
  });
  answer("get", "/api/v1/datasets/{dataset}/questions", PATH, { items: [question] });
  answer("get", `${BATCHES}/{batch}/figures`, { ...PATH, batch: "night" }, {
    people: [
      { person: "bo", submitted: 20, accepted: 15, sent_back: 1, skipped: 0, reviewed: 8, unchanged: 6, interval: [0.41, 0.93], first_pass: 0.75, median_s: 41.4 },
      { person: "chi", submitted: 2, accepted: 0, sent_back: 0, skipped: 1, reviewed: 0, unchanged: 0, interval: [0, 1], first_pass: null, median_s: null },
    ],
    prelabels: [{ model: "model:yolo", class: "car", kept: 30, adjusted: 9, rejected: 2 }],
    forecast: { remaining: 20, days: 5, done: 22, p50: "2026-12-07", p80: "2026-12-09", why: "" },
    questions: { open: 1, answered: 3, median_h: 1.5 },
  });
});

test("loading", async () => {
  keepWaiting("get", BATCHES, PATH);
  showPage("/d/streets/batches");
  expect(await screen.findByRole("status", { name: "Loading the batches" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", BATCHES, PATH, { status: 403, code: "not-permitted", detail: "you may not manage batches" });
  refuse("get", "/api/v1/datasets/{dataset}/reviews", PATH, { status: 403, code: "not-permitted", detail: "you may not review" });
  showPage("/d/streets/batches");
  expect((await screen.findAllByRole("alert"))[0]?.textContent).toContain("You may not manage batches");
});

test("a reviewer, who manages no batches, sees what waits for a review", async () => {
  refuse("get", BATCHES, PATH, { status: 403, code: "not-permitted", detail: "you may not manage batches" });
  showPage("/d/streets/batches");
  expect(await screen.findByText("street-0001.jpg")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.queryByRole("button", { name: "Open a batch" })).toBeNull();
});

test("no batches yet: the page says what one is, and n opens the form", async () => {
  answer("get", BATCHES, PATH, { items: [] });
  answer("post", BATCHES, PATH, { ...batch, notices: ["uncommitted edits of main are not in it"] });
  const { user } = showPage("/d/streets/batches");
  expect(await screen.findByText("No batches yet")).toBeTruthy();
  await user.keyboard("n");
  const form = within(await screen.findByRole("dialog", { name: "Open a batch" }));
  await user.type(form.getByLabelText("Name"), "night");
  await user.type(form.getByLabelText("Who labels"), "bo@example.org, team:night");
  await user.click(form.getByRole("button", { name: "Open the batch" }));
  await waitFor(() => expect(sentTo("post", BATCHES, PATH)[0]?.body).toEqual({
    name: "night", where: "", to: ["bo@example.org", "team:night"], reviewers: [], overlap: 1, review: 0.1, due: "", prelabels: "",
  }));
  expect(await screen.findByText(/Opened night with 40 images; uncommitted/)).toBeTruthy();
});

test("progress, and the steps of a batch", async () => {
  answer("get", BATCHES, PATH, { items: [batch, { ...batch, id: "b2", name: "day", state: "closed" }] });
  answer("post", `${BATCHES}/{batch}/pause`, { ...PATH, batch: "night" }, { ...batch, state: "paused" });
  answer("post", `${BATCHES}/{batch}/land`, { ...PATH, batch: "night" }, { commit: "c1", branch: "batch/night", samples: 5, annotations: 30, removed: 0 });
  const { user } = showPage("/d/streets/batches");
  const row = within((await screen.findByText("night", { selector: "strong" })).closest("tr") ?? document.body);
  expect(row.getByText("15 of 40, 1 sent back")).toBeTruthy();
  expect(row.getByText(/2 people each, due 2027-01-31/)).toBeTruthy();
  await user.click(row.getByRole("button", { name: "Pause" }));
  expect(await screen.findByText("night is paused")).toBeTruthy();
  await user.click(row.getByRole("button", { name: "Land" }));
  expect(await screen.findByText("5 images landed on batch/night")).toBeTruthy();
  const over = within(screen.getByText("day", { selector: "strong" }).closest("tr") ?? document.body);
  expect(over.queryByRole("button")).toBeNull();
});

test("what agrees is accepted at once, and a question is answered in place", async () => {
  answer("get", BATCHES, PATH, { items: [batch] });
  answer("post", "/api/v1/datasets/{dataset}/reviews/accept", PATH, {
    items: [{ assignment: "a", state: "accepted", sample: "s1", sample_state: "accepted", review_reason: "", repeated: false }],
  });
  answer("post", "/api/v1/threads/{thread}/answers", { thread: "q1" }, { ...question, state: "resolved" });
  const { user } = showPage("/d/streets/batches");
  expect((await screen.findByRole("link", { name: "street-0001.jpg" })).getAttribute("href")).toBe("/d/streets/samples/s1");
  await user.click(screen.getByRole("button", { name: "Accept the 1 whose copies agree" }));
  await waitFor(() => expect(sentTo("post", "/api/v1/datasets/{dataset}/reviews/accept", PATH)[0]?.body).toEqual({ agreement: 0.8 }));
  await user.type(screen.getByLabelText("Answer to bo"), "car: it has windows");
  await user.click(screen.getByRole("button", { name: "Answer" }));
  await waitFor(() => expect(sentTo("post", "/api/v1/threads/{thread}/answers", { thread: "q1" })[0]?.body).toEqual({ text: "car: it has windows" }));
});

test("people with how their work fared, and what became of prelabels", async () => {
  answer("get", BATCHES, PATH, { items: [batch] });
  showPage("/d/streets/batches");
  const bo = within((await screen.findByText("6 of 8")).closest("tr") ?? document.body);
  expect(bo.getByText("41 % to 93 %")).toBeTruthy();
  expect(screen.getByText("not reviewed yet")).toBeTruthy();
  const guesses = within(screen.getByText("model:yolo").closest("tr") ?? document.body);
  expect(guesses.getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["model:yolo", "car", "30", "9", "2"]);
});
