import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { SavedView } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { facets, gridSample, neverChecked, overview, savedView } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const LIST = "/api/v1/datasets/{dataset}/views";
const VIEW = "/api/v1/datasets/{dataset}/views/{view}";
const NAME = "/api/v1/datasets/{dataset}/views/{view}/name";
const named = (view: string) => ({ ...ONE, view });

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/edits", ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", "/api/v1/datasets/{dataset}/facets", ONE, facets());
  answer("get", "/api/v1/datasets/{dataset}/refs", ONE, { items: [{ name: "main", kind: "branch", commit: null, protection: null }] });
  answer("get", "/api/v1/datasets/{dataset}/unknown-values", ONE, { items: [] });
  answer("get", "/api/v1/datasets/{dataset}/samples", ONE, { commit: null, total: 1, offset: 0, items: [gridSample()] });
});

const searchIn = (address: string) => Object.fromEntries(new URLSearchParams(address.split("?")[1]));
const panel = async () => within(await screen.findByRole("dialog", { name: "Saved views" }));
/** A server that keeps views. */
function keepViews(...kept: SavedView[]) {
  answer("get", LIST, ONE, () => ({ items: kept }));
  return kept;
}

test("a link with the name of a view opens what was saved", async () => {
  keepViews(savedView());
  answer("get", VIEW, named("night"), savedView());
  const { address } = showPage("/d/streets/samples?view=night");
  expect(await screen.findByRole("link", { name: /street-0001/ })).toBeTruthy();
  expect(searchIn(address())).toEqual({ where: 'light = "night"', sort: "-annotations", size: "320", hide: "2", saved: "night" });
  expect(await screen.findByRole("button", { name: "Saved view: night" })).toBeTruthy();
});

test("the view of a link: loading, gone, failed", async () => {
  keepWaiting("get", VIEW, named("night"));
  showPage("/d/streets/samples?view=night");
  expect(await screen.findByRole("status", { name: "Loading the saved view" })).toBeTruthy();
});

test("a view that is gone leads to all samples", async () => {
  refuse("get", VIEW, named("night"), { status: 404, code: "view-not-found", detail: "streets has no saved view 'night'" });
  const { user, address } = showPage("/d/streets/samples?view=night");
  expect(await screen.findByRole("heading", { name: "No saved view night" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Show all samples" }));
  expect(await screen.findByRole("link", { name: /street-0001/ })).toBeTruthy();
  expect(address()).toBe("/d/streets/samples");
});

test("a failure of the server can be tried again", async () => {
  refuse("get", VIEW, named("night"), { status: 502, code: "storage-failed", detail: "disk error" });
  showPage("/d/streets/samples?view=night");
  expect((await screen.findByRole("alert")).textContent).toContain("Disk error");
});

test("without views the panel says what they are, and the key opens it", async () => {
  keepViews();
  const { user } = showPage("/d/streets/samples");
  await screen.findByRole("link", { name: /street-0001/ });
  await user.keyboard("v");
  expect((await panel()).getByText(/No saved views yet/)).toBeTruthy();
});

test("the list: loading and failed", async () => {
  refuse("get", LIST, ONE, { status: 502, code: "storage-failed", detail: "disk error" });
  const { user } = showPage("/d/streets/samples");
  await user.click(await screen.findByRole("button", { name: "Saved views" }));
  expect((await panel()).getByRole("alert").textContent).toContain("Disk error");
  keepWaiting("get", LIST, ONE);
  await user.click((await panel()).getByRole("button", { name: "Try again" }));
  expect(await (await panel()).findByRole("status", { name: "Loading saved views" })).toBeTruthy();
});

test("what is shown is saved under a name, and a taken name asks first", async () => {
  const kept = keepViews(savedView({ name: "wide" }));
  refuse("put", VIEW, named("wide"), { status: 409, code: "view-exists", detail: "streets already has a saved view 'wide'" });
  const { user, address } = showPage("/d/streets/samples?where=width+%3E+3&hide=2.1");
  await user.click(await screen.findByRole("button", { name: "Saved views" }));
  await user.type((await panel()).getByRole("textbox", { name: "Save what is shown as" }), "wide{Enter}");
  expect((await panel()).getByRole("alert").textContent).toContain("wide exists already, last changed by ana");
  expect(sentTo("put", VIEW, named("wide"))).toEqual([]);
  answer("put", VIEW, named("wide"), () => {
    kept[0] = savedView({ name: "wide", where: "width > 3", sort: "name", size_px: null, hidden: [1, 2] });
    return kept[0];
  });
  await user.click((await panel()).getByRole("button", { name: "Replace it" }));
  await waitFor(() => expect(searchIn(address()).saved).toBe("wide"));
  expect(sentTo("put", VIEW, named("wide"))[0]?.body).toEqual({
    where: "width > 3", sort: "name", label_set: "ground_truth", ref: "", within: "", size_px: null, hidden: [1, 2], overwrite: true,
    show: "samples", of_class: "", colour: "", beside: "", against: "",
  });
  expect(screen.getByText("Saved view wide")).toBeTruthy();
});

test("a view that is refused says why", async () => {
  keepViews();
  refuse("put", VIEW, named("mine"), { status: 403, code: "not-permitted", detail: "ana may not edit streets", fix: "ask an owner" });
  const { user } = showPage("/d/streets/samples");
  await user.click(await screen.findByRole("button", { name: "Saved views" }));
  await user.type((await panel()).getByRole("textbox", { name: "Save what is shown as" }), "mine{Enter}");
  expect((await (await panel()).findByRole("alert")).textContent).toContain("Ask an owner");
});

test("a view is opened, changed and updated", async () => {
  const kept = keepViews(savedView(), savedView({ name: "by day", where: 'light = "day"' }));
  const { user, address } = showPage("/d/streets/samples");
  await user.click(await screen.findByRole("button", { name: "Saved views" }));
  await user.click((await panel()).getByRole("button", { name: /^night/ }));
  await waitFor(() => expect(searchIn(address()).where).toBe('light = "night"'));
  await user.selectOptions(screen.getByRole("combobox", { name: "Sort by" }), "newest");
  const button = await screen.findByRole("button", { name: "Saved view: night, changed since" });
  answer("put", VIEW, named("night"), () => {
    kept[0] = savedView({ sort: "newest" });
    return kept[0];
  });
  await user.click(button);
  await user.click((await panel()).getByRole("button", { name: "Update night" }));
  expect(await screen.findByRole("button", { name: "Saved view: night" })).toBeTruthy();
  expect(sentTo("put", VIEW, named("night"))[0]?.body).toMatchObject({ sort: "newest", overwrite: true });
});

test("a view is renamed, shared, deleted and brought back", async () => {
  const kept = keepViews(savedView());
  const { user } = showPage("/d/streets/samples");
  await user.click(await screen.findByRole("button", { name: "Saved views" }));
  await user.click(await (await panel()).findByRole("button", { name: "Rename night" }));
  const field = (await panel()).getByRole("textbox", { name: "New name of night" });
  answer("post", NAME, named("night"), () => {
    kept[0] = savedView({ name: "dark" });
    return kept[0];
  });
  await user.clear(field);
  await user.type(field, "dark{Enter}");
  await user.click(await (await panel()).findByRole("button", { name: "Copy link to dark" }));
  expect(await navigator.clipboard.readText()).toBe(`${location.origin}/d/streets/samples?view=dark`);
  answer("delete", VIEW, named("dark"), () => kept.pop() ?? savedView());
  await user.click((await panel()).getByRole("button", { name: "Delete dark" }));
  expect(await (await panel()).findByText("Deleted dark.")).toBeTruthy();
  await waitFor(async () => expect((await panel()).queryByRole("button", { name: "Delete dark" })).toBeNull());
  answer("put", VIEW, named("dark"), () => {
    kept.push(savedView({ name: "dark" }));
    return savedView({ name: "dark" });
  });
  await user.click((await panel()).getByRole("button", { name: "Undo" }));
  expect(await (await panel()).findByRole("button", { name: "Delete dark" })).toBeTruthy();
  expect(sentTo("put", VIEW, named("dark"))[0]?.body).toMatchObject({ where: 'light = "night"', hidden: [2], overwrite: false });
});

test("a saved view of objects opens with their class, colours and what stands beside", async () => {
  const saved = savedView({ show: "objects", of_class: "car", colour: "finding", beside: "model:a", against: "v1" });
  answer("get", LIST, ONE, { items: [saved] });
  answer("get", VIEW, named("night"), saved);
  answer("get", "/api/v1/datasets/{dataset}/objects", ONE, { commit: null, total: 0, offset: 0, items: [] });
  const { address } = showPage("/d/streets/samples?view=night");
  await waitFor(() => expect(searchIn(address()).saved).toBe("night"));
  expect(searchIn(address())).toMatchObject({ show: "objects", of: "car", colour: "finding", beside: "model:a", against: "v1" });
});
