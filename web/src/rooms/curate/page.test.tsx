import { screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { EmbeddingMap } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { facets, neverChecked, overview } from "@/testing/records";
import { answer, answerBytes, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/map";
const MODELS = "/api/v1/datasets/{dataset}/vectors";
const MAP: EmbeddingMap = {
  model: "lite0", total: 3, missing: 2, by: "class", ways: ["class", "split", "field:light"], colours: [{ value: "car", count: 2 }, { value: "", count: 1 }],
};

/** Three points: two near the middle, one far. */
function answerPoints() {
  const bytes = new Uint8Array(27);
  new Float32Array(bytes.buffer, 0, 6).set([0, 0, 0.1, 0, 0.9, 0.9]);
  bytes.set([0, 0, 1], 24);
  answerBytes(`${AT}/points`, ONE, bytes);
}

beforeEach(() => answer("get", MODELS, ONE, { items: [{ model: "lite0", samples: 3 }] }));

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/map");
  expect(await screen.findByText(/Placing the samples/)).toBeTruthy();
});

test("without vectors it shows how to compute them", async () => {
  answer("get", MODELS, ONE, { items: [] });
  showPage("/d/streets/map");
  expect(await screen.findByRole("heading", { name: "No vectors yet" })).toBeTruthy();
  expect(screen.getByText("calotype embed streets")).toBeTruthy();
});

test("an error", async () => {
  refuse("get", AT, ONE, { status: 422, code: "map-colour-unknown", detail: "cannot colour the points of a map by 'x'" });
  showPage("/d/streets/map?by=x");
  expect((await screen.findByRole("alert")).textContent).toContain("map-colour-unknown");
});

test("a selected part is counted and opens in the grid", async () => {
  answer("get", AT, ONE, MAP);
  answerPoints();
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/edits", ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/facets", ONE, facets());
  answer("get", "/api/v1/datasets/{dataset}/refs", ONE, { items: [] });
  answer("get", "/api/v1/datasets/{dataset}/samples", ONE, { commit: null, total: 0, offset: 0, items: [] });
  const { user, address } = showPage("/d/streets/map?lasso=-0.5,-0.5;0.5,-0.5;0.5,0.5;-0.5,0.5");
  expect(await screen.findByText("2 samples selected")).toBeTruthy();
  expect(screen.getByText("2 without a vector")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Open in the grid" }));
  expect(decodeURIComponent(address())).toBe("/d/streets/samples?within=lite0:-0.500,-0.500;0.500,-0.500;0.500,0.500;-0.500,0.500");
});

test("the colours are explained, and can be those of a field", async () => {
  answer("get", AT, ONE, MAP);
  answerPoints();
  const { user, address } = showPage("/d/streets/map");
  expect(await screen.findByRole("list", { name: "Colours: class" })).toBeTruthy();
  expect(screen.getByText("none")).toBeTruthy();
  await user.selectOptions(screen.getByRole("combobox", { name: "Colour by" }), "light");
  expect(decodeURIComponent(address())).toBe("/d/streets/map?by=field:light");
});

test("one of several models is chosen", async () => {
  answer("get", MODELS, ONE, { items: [{ model: "lite0", samples: 3 }, { model: "own", samples: 2 }] });
  answer("get", AT, ONE, MAP);
  answerPoints();
  const { user, address } = showPage("/d/streets/map");
  await user.selectOptions(await screen.findByRole("combobox", { name: "Model" }), "own");
  expect(address()).toBe("/d/streets/map?model=own");
});

const PICKS = {
  dataset: "streets", by: "coverage", seed: 0, embedder: "hog-colour-v2", unreadable: 0, tagged: null,
  notes: ["these vectors see layout and colour only: `calotype embed streets --model lite0` stores better ones"],
  picks: [{ sample_id: "a".repeat(32), name: "night/0001.png", rank: 1, reason: "adds 4.00% to the coverage, now 4.0%", score: 0.04 }],
};

test("samples are picked by a strategy, each with its reason, and tagged", async () => {
  answer("get", AT, ONE, MAP);
  answerPoints();
  answer("post", "/api/v1/datasets/{dataset}/selections", ONE, PICKS);
  answer("post", "/api/v1/datasets/{dataset}/selections/tagged", ONE, { ...PICKS, tagged: 1 });
  const { user } = showPage("/d/streets/map?where=split = \"train\"");
  const strategy = await screen.findByRole("combobox", { name: "Strategy" });
  await user.selectOptions(strategy, "coverage");
  await user.clear(screen.getByRole("spinbutton", { name: "Number" }));
  await user.type(screen.getByRole("spinbutton", { name: "Number" }), "1");
  await user.click(screen.getByRole("button", { name: "Pick" }));
  expect(await screen.findByText("1 sample picked by coverage on hog-colour-v2")).toBeTruthy();
  expect(screen.getByText("adds 4.00% to the coverage, now 4.0%")).toBeTruthy();
  expect(screen.getByText(/stores better ones/)).toBeTruthy();
  expect(sentTo("post", "/api/v1/datasets/{dataset}/selections", ONE).map(({ body }) => body)).toEqual([{ n: 1, by: "coverage", where: 'split = "train"', predictions: "" }]);
  await user.type(screen.getByRole("textbox", { name: "Tag as" }), "next");
  await user.click(screen.getByRole("button", { name: "Tag" }));
  expect(await screen.findByText("1 sample tagged picked:next")).toBeTruthy();
});

test("samples are not picked from an old commit", async () => {
  answer("get", AT, ONE, MAP);
  answerPoints();
  showPage("/d/streets/map?ref=4f2a9c1d7b3e");
  expect(await screen.findByRole("list", { name: "Colours: class" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Pick" })).toBeNull();
});
