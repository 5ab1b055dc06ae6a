import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { checkResults, checkSummary, facets, gridSample, neverChecked, overview } from "@/testing/records";
import { answer } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/samples";
const UNKNOWN = "/api/v1/datasets/{dataset}/unknown-values";
const page = (...items: ReturnType<typeof gridSample>[]) => ({ commit: null, total: items.length, offset: 0, items });

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}/vectors", ONE, { items: [] });
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/edits", ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", "/api/v1/datasets/{dataset}/facets", ONE, facets());
  answer("get", "/api/v1/datasets/{dataset}/refs", ONE, { items: [{ name: "main", kind: "branch", commit: null, protection: null }] });
  answer("get", UNKNOWN, ONE, { items: [] });
});

test("values beyond the listed ones are asked of the server; arrows choose, and the choice is announced", async () => {
  answer("get", AT, ONE, page(gridSample()));
  answer("get", "/api/v1/datasets/{dataset}/values", ONE, ({ query }) => ({ items: query.typed === "sc" ? [{ value: "scene-0042", count: 3 }] : [], approximate: false }));
  const { user, address } = showPage("/d/streets/samples");
  await screen.findByRole("link", { name: /street-0001/ });
  const box = screen.getByRole("combobox", { name: "Query" });
  await user.type(box, 'group = "sc');
  const option = await screen.findByRole("option", { name: /scene-0042/ });
  expect(screen.getByText("1 suggestion")).toBeTruthy();
  await user.keyboard("{ArrowDown}");
  expect(box.getAttribute("aria-activedescendant")).toBe(option.id);
  await user.keyboard("{Enter}");
  expect(box).toHaveProperty("value", 'group = "scene-0042"');
  await user.keyboard("{Enter}");
  await waitFor(() => expect(new URLSearchParams(address().split("?")[1]).get("where")).toBe('group = "scene-0042"'));
});

test("a key opens the fields, and checks complete a finding", async () => {
  answer("get", AT, ONE, page(gridSample()));
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, checkResults({ checks: [checkSummary({ name: "label-errors", title: "Wrong classes" })] }));
  const { user } = showPage("/d/streets/samples");
  await screen.findByRole("link", { name: /street-0001/ });
  await user.keyboard("/{ArrowDown}");
  const options = () => within(screen.getByRole("listbox", { name: "Suggestions" })).getAllByRole("option").map((option) => option.querySelector("code")?.textContent);
  expect(options()[0]).toBe("light");
  await user.keyboard("fi{ArrowDown}{Enter}");
  expect(screen.getByRole("combobox", { name: "Query" })).toHaveProperty("value", "finding ");
  expect(options()).toContain("=");
  await user.keyboard("= ");
  expect(await screen.findByRole("option", { name: /label-errors.*Wrong classes/ })).toBeTruthy();
});

test("a value that no sample has is said, and the right one is one click away", async () => {
  answer("get", AT, ONE, ({ query }) => (query.where === 'light = "night"' ? page(gridSample()) : page()));
  answer("get", UNKNOWN, ONE, ({ query }) => ({
    items: query.where === 'light = "nigth"' ? [{ field: "light", value: "nigth", column: 1, close: ["night"], message: "no value 'nigth' of light: did you mean 'night'?" }] : [],
  }));
  const { user } = showPage("/d/streets/samples?where=light+%3D+%22nigth%22");
  expect((await screen.findByRole("alert")).textContent).toContain("No value 'nigth' of light: did you mean 'night'?");
  await user.click(screen.getByRole("button", { name: 'Use "night"' }));
  expect(await screen.findByRole("link", { name: /street-0001/ })).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("filters count only what is inside the part of the map that is shown", async () => {
  const within_ = "own:0,0;1,0;1,1";
  answer("get", AT, ONE, page(gridSample()));
  const asked: Record<string, string>[] = [];
  answer("get", "/api/v1/datasets/{dataset}/facets", ONE, ({ query }) => {
    asked.push(query);
    return facets();
  });
  showPage(`/d/streets/samples?within=${encodeURIComponent(within_)}`);
  const panel = within(await screen.findByRole("complementary", { name: "Classes and filters" }));
  expect(await panel.findByRole("button", { name: "truck 0" })).toBeTruthy();
  expect(asked.map((query) => query.within)).toEqual([within_]);
});
