import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
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

test("equal states", async () => {
  answer("get", AT, ONE, { a: "spring", b: "summer", samples: NONE, annotations: NONE, by_label_set: {}, items: [] });
  showPage("/d/streets/diff?a=spring&b=summer");
  expect(await screen.findByRole("heading", { name: "No differences in samples or annotations" })).toBeTruthy();
});

test("changed samples lead to the state that has them", async () => {
  answer("get", AT, ONE, {
    a: "spring", b: "", samples: { ...NONE, removed: 1 }, annotations: { ...NONE, added: 3 }, by_label_set: { ground_truth: { ...NONE, added: 3 } },
    items: [
      { sample_id: "s1", name: "gone.jpg", media: "00", change: "removed", annotations: NONE },
      { sample_id: "s2", name: "kept.jpg", media: "01", change: "annotations", annotations: { ...NONE, added: 3 } },
    ],
  });
  showPage("/d/streets/diff?a=spring");
  const gone = await screen.findByRole("link", { name: /gone\.jpg/ });
  expect(gone.getAttribute("href")).toBe("/d/streets/samples/s1?ref=spring&labels=ground_truth&from=diff");
  expect(screen.getByRole("link", { name: /kept\.jpg/ }).getAttribute("href")).toBe("/d/streets/samples/s2?labels=ground_truth&from=diff");
  expect(screen.getByRole("link", { name: "working state" })).toBeTruthy();
  expect(sentTo("get", AT, ONE)[0]?.query).toEqual({ a: "spring", b: "" });
});
