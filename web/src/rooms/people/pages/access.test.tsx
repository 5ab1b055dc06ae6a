import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { DatasetClassification } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const WHO = "/api/v1/access/who";
const WHY = "/api/v1/access/why";
const AT = "2026-11-30T08:00:00.000Z";
const ana = { id: "1", email: "ana@example.org", name: "Ana", kind: "person", state: "active", created_at: AT, created_by: "ana@example.org" } as const;
const no = { who: "bo@example.org", action: "dataset.export", resource: "dataset:night", allowed: false, rule: "no-permit", says: "no role on this resource allows it", by: [], would_allow: [{ role: "ml-engineer", on: "dataset:night" }, { role: "owner", on: "workspace" }] } as const;

const KIND = "/api/v1/datasets/{dataset}/classification";
const kind: DatasetClassification = { dataset: "night", class: "personal", licence: "CC-BY-4.0", purposes: ["training"], hold: "" };

/** Answers as the rules would for somebody who may do these things in the workspace, and `else` for other questions. */
const rules = (may: readonly string[], other: object = no) =>
  answer("get", WHY, {}, ({ query }) =>
    (query["resource"] === "workspace" ? { ...no, action: "people.read", allowed: may.includes(query["action"] ?? ""), would_allow: [] } : other) as never);

beforeEach(() => {
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
  answer("get", "/api/v1/datasets", {}, { items: [] });
  answer("get", "/api/v1/people", {}, { items: [ana] });
  answer("get", "/api/v1/teams", {}, { items: [] });
  rules(["people.read", "grant.manage"]);
  answer("get", KIND, { dataset: "night" }, kind);
});

test("who can: people with links to the grants that let them; the address holds the question", async () => {
  answer("get", WHO, {}, {
    action: "dataset.export", resource: "dataset:night",
    items: [{ who: ana.email, name: "Ana", kind: "person", rule: "owner", by: [{ role: "owner", on: "workspace", grant: "g1", until: null }] }],
  });
  const { user, address } = showPage("/access");
  await user.selectOptions(await screen.findByRole("combobox", { name: "Action" }), "export");
  await screen.findByRole("radio", { name: "Who can" });
  await user.selectOptions(screen.getByRole("combobox", { name: "Action" }), "export");
  await user.type(screen.getByRole("combobox", { name: "Resource" }), "dataset:night{Enter}");
  await waitFor(() => expect(address()).toBe("/access?ask=who&action=dataset.export&on=dataset%3Anight"));
  expect(await screen.findByRole("heading", { name: "Who can export on dataset:night" })).toBeTruthy();
  expect(screen.getByRole("link", { name: "owner on workspace" }).getAttribute("href")).toBe("/people?who=ana%40example.org&grant=g1");
});

test("why: decision, rule in words, and the grants that would change it, smallest first", async () => {
  showPage("/access?ask=why&who=bo@example.org&action=dataset.export&on=dataset:night");
  expect(await screen.findByRole("heading", { name: "bo@example.org may not export on dataset:night" })).toBeTruthy();
  expect(screen.getByText(/no role on this resource allows it/)).toBeTruthy();
  expect(screen.getAllByRole("listitem").map((item) => item.querySelector("strong")?.textContent)).toEqual(["ml-engineer", "owner"]);
  expect(screen.queryByRole("link", { name: "Ask for it" })).toBeNull();
});

test("who sees no people asks about themselves, and can ask for what would change it", async () => {
  rules([]);
  showPage("/access?ask=why&action=dataset.export&on=dataset:night");
  expect(await screen.findByRole("heading", { name: "You may not export on dataset:night" })).toBeTruthy();
  expect(screen.getAllByRole("link", { name: "Ask for it" })[0]?.getAttribute("href")).toBe("/access/requests?role=ml-engineer&on=dataset%3Anight");
  expect(screen.queryByRole("combobox", { name: "Person" })).toBeNull();
  expect(sentTo("get", WHO, {})).toHaveLength(0);
});

test("nothing asked yet, loading, and a question that cannot be answered", async () => {
  showPage("/access");
  expect(await screen.findByRole("heading", { name: "Ask who has access, or why" })).toBeTruthy();
  keepWaiting("get", WHO, {});
  showPage("/access?ask=who&action=dataset.read&on=dataset:night");
  expect(await screen.findByRole("status", { name: "Loading the people" })).toBeTruthy();
  refuse("get", WHO, {}, { status: 404, code: "team-not-found", detail: "team 'x' does not exist" });
  showPage("/access?ask=who&action=dataset.read&on=team:x");
  expect((await screen.findByRole("alert")).textContent).toContain("eam 'x' does not exist");
});

test("a server without accounts says how to have some", async () => {
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: false, provider: "" });
  showPage("/access");
  expect(await within(document.body).findByRole("heading", { name: "This server has no accounts" })).toBeTruthy();
});

test("what a dataset holds stands below the answer; who may classify it changes it there", async () => {
  rules([], { ...no, allowed: true, would_allow: [] });
  const { user } = showPage("/access?ask=why&action=dataset.export&on=dataset:night");
  const hold = await screen.findByRole("textbox", { name: "Hold" });
  expect(screen.getByRole<HTMLSelectElement>("combobox", { name: "Class" }).value).toBe("personal");
  const save = screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
  expect(save.disabled).toBe(true);
  answer("put", KIND, { dataset: "night" }, { ...kind, hold: "case 12" });
  await user.type(hold, "case 12");
  await user.click(save);
  await waitFor(() => expect(sentTo("put", KIND, { dataset: "night" })).toHaveLength(1));
  expect(sentTo("put", KIND, { dataset: "night" })[0]?.body).toEqual({ class: "personal", licence: "CC-BY-4.0", purposes: ["training"], hold: "case 12" });
});

test("who may not classify a dataset reads what it holds", async () => {
  showPage("/access?ask=why&action=dataset.export&on=dataset:night");
  expect(await screen.findByRole("heading", { name: "What night holds" })).toBeTruthy();
  expect(await screen.findByText("CC-BY-4.0")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
});
