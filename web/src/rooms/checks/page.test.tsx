import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { checkResults, checkSummary, findingPage, gate, gridSample, neverChecked, overview } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/checks";

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, { sha256: "ab".repeat(32), text: null, template: null, purposes: [], coverage: [], warnings: [] });
});

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/checks");
  expect(await screen.findByRole("status", { name: "Loading the checks" })).toBeTruthy();
});

test("a dataset that was never checked, and a first run", async () => {
  answer("get", AT, ONE, neverChecked);
  const { user } = showPage("/d/streets/checks");
  expect(await screen.findByRole("heading", { name: "Not checked yet" })).toBeTruthy();
  answer("post", AT, ONE, checkResults());
  answer("get", AT, ONE, checkResults());
  await user.click(screen.getByRole("button", { name: "Run checks" }));
  expect(await screen.findByText("All gates are green, 1 open warning")).toBeTruthy();
  expect(await screen.findByText("1 of 1 green")).toBeTruthy();
});

test("an error of the page, and of a run", async () => {
  refuse("get", AT, ONE, { status: 404, code: "dataset-not-found", detail: "dataset streets does not exist" });
  const { user } = showPage("/d/streets/checks");
  expect((await screen.findByRole("alert")).textContent).toContain("dataset-not-found");
  refuse("post", AT, ONE, { status: 403, code: "not-allowed", detail: "ana may not run checks", fix: "ask an owner" });
  await user.keyboard("r");
  await waitFor(() => expect(screen.getAllByRole("alert").some((alert) => alert.textContent?.includes("Ask an owner"))).toBe(true));
});

test("a gate that blocks says why and how to fix it", async () => {
  answer("get", AT, ONE, checkResults({
    stale: true,
    gates: [
      gate(),
      gate({ name: "split-leakage", check: "split-leakage", state: "red", measured: 3, detail: "3 findings, 0 allowed", fix: "assign the splits again", findings: 3 }),
    ],
    objectives: [{ name: "recall", metric: "recall", state: "missed", measured: 0.8, at: "least", target: 0.9, unit: "share", detail: "too low" }],
  }));
  const { user, address } = showPage("/d/streets/checks");
  expect(await screen.findByText("1 of 2 green")).toBeTruthy();
  expect(screen.getByText(/The dataset has changed since this run/)).toBeTruthy();
  const [first] = screen.getAllByRole("listitem");
  expect(within(first!).getByText("Red")).toBeTruthy();
  expect(within(first!).getByText(/Assign the splits again/)).toBeTruthy();
  expect(screen.getByText("0 of 1 met")).toBeTruthy();
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/findings", ONE, findingPage());
  answer("get", "/api/v1/datasets/{dataset}/finding-groups", ONE, { total: 0, groups: [] });
  await user.click(screen.getByRole("button", { name: "Show 3 findings" }));
  await waitFor(() => expect(address()).toContain("/d/streets/findings?check=split-leakage"));
  await waitFor(() => expect(sentTo("get", "/api/v1/datasets/{dataset}/findings", ONE).at(-1)?.query.check).toBe("split-leakage"));
});

test("a check explains itself when it is selected", async () => {
  answer("get", AT, ONE, checkResults({ checks: [checkSummary(), checkSummary({ name: "blur", title: "Blurred images", enabled: false, findings: 0, counts: {} })] }));
  const { user } = showPage("/d/streets/checks");
  const check = await screen.findByRole("button", { name: /exact-duplicates/ });
  expect(screen.getByRole("button", { name: /blur/ }).textContent).toContain("off");
  await user.click(check);
  expect(check.getAttribute("aria-expanded")).toBe("true");
  expect(screen.getByRole("button", { name: "Work through 1 finding" })).toBeTruthy();
  expect(screen.getByText(/305 samples in 12 ms/)).toBeTruthy();
});

test("the contract is shown, or how to create one", async () => {
  answer("get", AT, ONE, checkResults());
  showPage("/d/streets/checks");
  expect(await screen.findByText("calotype contract init streets")).toBeTruthy();
});

test("the text of a contract unfolds", async () => {
  answer("get", AT, ONE, checkResults());
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, { sha256: "ab".repeat(32), text: "gates: []", template: null, purposes: [], coverage: [], warnings: [] });
  const { user } = showPage("/d/streets/checks");
  await user.click(await screen.findByText("Show the contract"));
  expect(screen.getByText("gates: []")).toBeTruthy();
});

const HOLES = { check: "coverage", unit: "annotations", threshold: 10 };
const GATES = [gate({ ...HOLES, name: "coverage night: car", measured: 40 }), gate({ ...HOLES, name: "coverage night: dog", measured: 2, state: "red" })];
const SAMPLES = "/api/v1/datasets/{dataset}/samples";

test("a cell of the coverage map shows images of what is there, with links to the grid, and its findings", async () => {
  answer("get", AT, ONE, checkResults({ gates: GATES }));
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, {
    sha256: "ab".repeat(32), text: "coverage: []", template: null, purposes: [], coverage: [{ title: "night", where: 'light = "night"' }], warnings: [],
  });
  answer("get", SAMPLES, ONE, ({ query }) => {
    const items = query.where?.includes("dog") ? [gridSample({ id: "s1", name: "dog.jpg" })] : [];
    return { commit: null, total: items.length, offset: 0, items };
  });
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/findings", ONE, findingPage());
  answer("get", "/api/v1/datasets/{dataset}/finding-groups", ONE, { total: 0, groups: [] });
  const { user, address } = showPage("/d/streets/checks");
  expect(await screen.findByText("1 of 2 demands not met")).toBeTruthy();
  const cell = screen.getByRole("button", { name: "night, dog: 2 of 10" });
  await user.click(cell);
  await waitFor(() => expect(address()).toBe("/d/streets/checks?gate=coverage+night%3A+dog"));
  expect(cell.getAttribute("aria-expanded")).toBe("true");
  const shown = within(await screen.findByRole("region", { name: "Examples for night, dog" }));
  const grid = await shown.findByRole("link", { name: "1 sample of night with dog" });
  expect(grid.getAttribute("href")).toBe(`/d/streets/samples?where=${new URLSearchParams({ w: 'light = "night" and class = "dog"' }).toString().slice(2)}`);
  expect((await shown.findAllByRole("img", { name: "dog.jpg" })).length).toBe(2);
  expect(await shown.findByText("No sample matches.")).toBeTruthy();
  await user.click(shown.getByRole("button", { name: "Show the findings" }));
  await waitFor(() => expect(address()).toContain("/d/streets/findings?check=coverage"));
});

test("examples that load, and that cannot be loaded; the cell closes them", async () => {
  answer("get", AT, ONE, checkResults({ gates: GATES }));
  keepWaiting("get", SAMPLES, ONE);
  const { user, address } = showPage("/d/streets/checks?gate=coverage+night%3A+dog");
  expect(await screen.findByRole("status", { name: "Loading examples" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "night, dog: 2 of 10" }));
  await waitFor(() => expect(address()).toBe("/d/streets/checks"));
  expect(screen.queryByRole("status", { name: "Loading examples" })).toBeNull();
  refuse("get", SAMPLES, ONE, { status: 422, code: "query-invalid", detail: "there is no class dog" });
  await user.click(screen.getByRole("button", { name: "night, car: 40 of 10" }));
  expect(await screen.findByText("There is no class dog")).toBeTruthy();
});
