import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { fullAnnotation } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/diff";
const NONE = { added: 0, removed: 0, changed: 0 };

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/diff?a=spring&b=summer");
  expect(await screen.findByRole("status", { name: "Loading the diff" })).toBeTruthy();
});

test("without two states it asks for them", async () => {
  showPage("/d/streets/diff");
  expect(await screen.findByRole("heading", { name: "Select two commits" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", AT, ONE, { status: 404, code: "ref-not-found", detail: "streets has no ref spring" });
  showPage("/d/streets/diff?a=spring&b=summer");
  expect((await screen.findByRole("alert")).textContent).toContain("ref-not-found");
});

const KINDS = { added: 0, removed: 0, reclassified: 0, moved: 0, edited: 0 };
const EMPTY = { a: "spring", b: "", samples: NONE, annotations: NONE, by_label_set: {}, groups: [], total: 0, offset: 0, items: [] };
const SAMPLE = "/api/v1/datasets/{dataset}/diff/samples/{sample_id}";

function answerTwo() {
  answer("get", AT, ONE, {
    ...EMPTY, samples: { ...NONE, removed: 1 }, annotations: { ...NONE, changed: 3 }, total: 2,
    groups: [{ change: "reclassified", class_before: "car", class_after: "truck", annotations: 3, samples: 1 }],
    items: [
      { sample_id: "s1", name: "gone.jpg", media: "00", change: "removed", annotations: NONE, kinds: KINDS },
      { sample_id: "s2", name: "kept.jpg", media: "01", change: "annotations", annotations: { ...NONE, changed: 3 }, kinds: { ...KINDS, reclassified: 3 } },
    ],
  });
  const state = (name: string) => ({ media: "01", width: 40, height: 30, label_sets: { ground_truth: [fullAnnotation({ id: "x", class: name })] } });
  answer("get", SAMPLE, { ...ONE, sample_id: "s1" }, {
    id: "s1", name: "gone.jpg", before: state("car"), after: null, fields: [], changes: [], position: { index: 0, total: 2, previous: null, next: "s2" },
  });
  answer("get", SAMPLE, { ...ONE, sample_id: "s2" }, {
    id: "s2", name: "kept.jpg", before: state("car"), after: state("truck"), fields: [{ field: "split", before: "train", after: "val" }],
    changes: [{ label_set: "ground_truth", id: "x", change: "reclassified", moved: true, iou: 0.5, class_before: "car", class_after: "truck" }],
    position: { index: 1, total: 2, previous: "s1", next: null },
  });
}

test("equal states", async () => {
  answer("get", AT, ONE, { ...EMPTY, b: "summer" });
  showPage("/d/streets/diff?a=spring&b=summer");
  expect(await screen.findByRole("heading", { name: "No differences in samples or annotations" })).toBeTruthy();
});

test("the first sample is shown before and after, and keys lead through the list", async () => {
  answerTwo();
  const { user, address } = showPage("/d/streets/diff?a=spring");
  expect(await screen.findByRole("heading", { name: "gone.jpg" })).toBeTruthy();
  expect(screen.getByText("1 of 2")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Open the sample" }).getAttribute("href")).toBe("/d/streets/samples/s1?ref=spring&from=diff");
  expect(screen.getByRole("link", { name: "working state" })).toBeTruthy();
  await user.keyboard("n");
  expect(await screen.findByRole("heading", { name: "kept.jpg" })).toBeTruthy();
  expect(address()).toBe("/d/streets/diff?a=spring&sample=s2");
  const changes = within(screen.getByRole("list", { name: "What differs" }));
  expect(changes.getByText("val")).toBeTruthy();
  expect(changes.getByText("overlap 50 %")).toBeTruthy();
  await user.keyboard("b");
  expect(screen.getByRole("radio", { name: /Blink/ }).getAttribute("aria-checked")).toBe("true");
  expect(address()).toBe("/d/streets/diff?a=spring&sample=s2&mode=blink");
});

test("a kind of change filters the list", async () => {
  answerTwo();
  const { user, address } = showPage("/d/streets/diff?a=spring");
  await user.click(await screen.findByRole("button", { name: /reclassified car/ }));
  expect(address()).toBe("/d/streets/diff?a=spring&change=reclassified&before=car&after=truck");
  expect(sentTo("get", AT, ONE).at(-1)?.query).toMatchObject({ a: "spring", change: "reclassified", class_before: "car", class_after: "truck" });
});

test("a filter without matches names the way out", async () => {
  answer("get", AT, ONE, EMPTY);
  const { user, address } = showPage("/d/streets/diff?a=spring&change=moved");
  expect(await screen.findByRole("heading", { name: "No sample differs in this way" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Show all changes" }));
  expect(address()).toBe("/d/streets/diff?a=spring");
});
