import { screen, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { checkResults, gate, logged, neverChecked, overview } from "@/testing/records";
import { answer, keepWaiting, refuse } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}";

beforeEach(() => {
  answer("get", `${AT}/checks`, ONE, neverChecked);
  answer("get", `${AT}/log`, ONE, { items: [logged()], dirty: false, changes: null });
});

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets");
  expect(await screen.findByRole("status", { name: "Loading the overview" })).toBeTruthy();
});

test("an empty dataset shows how to add images", async () => {
  answer("get", AT, ONE, overview({ samples: 0, annotations: 0 }));
  showPage("/d/streets");
  expect(await screen.findByRole("heading", { name: "No samples yet" })).toBeTruthy();
  expect(screen.getByText("calotype import streets instances.json")).toBeTruthy();
});

test("an unknown dataset says so", async () => {
  refuse("get", AT, ONE, { status: 404, code: "dataset-not-found", detail: "dataset streets does not exist", fix: "run `calotype dataset list`" });
  showPage("/d/streets");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("dataset-not-found");
  expect(within(alert).getByText("calotype dataset list").tagName).toBe("CODE");
});

test("counts lead to the samples behind them", async () => {
  answer("get", AT, ONE, overview());
  showPage("/d/streets");
  const classes = within(await screen.findByRole("list", { name: "Annotations by class" }));
  const car = classes.getByRole("link", { name: /car/ });
  expect(car.textContent).toContain("1,943");
  expect(decodeURIComponent(car.getAttribute("href") ?? "").replaceAll("+", " ")).toBe('/d/streets/samples?where=class = "car"');
  expect(screen.getByText("16.9 per sample")).toBeTruthy();
  const none = screen.getByRole("link", { name: /no licence/ });
  expect(decodeURIComponent(none.getAttribute("href") ?? "")).toContain("licence+is+missing");
  expect(await screen.findByText("first import")).toBeTruthy();
  expect(await screen.findByRole("link", { name: "Run the checks" })).toBeTruthy();
});

test("gates that block stand first", async () => {
  answer("get", AT, ONE, overview());
  answer("get", `${AT}/checks`, ONE, checkResults({ stale: true, gates: [gate(), gate({ name: "split-leakage", state: "red" })] }));
  showPage("/d/streets");
  expect(await screen.findByText(/outdated, checked/)).toBeTruthy();
  const lines = screen.getAllByRole("listitem").map((line) => line.textContent).filter((text) => /^(?:Red|Green)/.test(text ?? ""));
  expect(lines).toEqual(["Redsplit-leakage", "Greenreadable"]);
});
