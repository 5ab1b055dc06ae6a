import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const REVIEW = "/api/v1/access/review";
const AT = "2026-06-30T08:00:00.000Z";
const grant = { kind: "grant-unused", id: "g1", who: "bo@example.org", name: "Bo", role: "curator", on: "dataset:night", since: AT, last_used: null, until: null, kept: null } as const;
const token = { ...grant, kind: "token-unused", id: "t1", role: "nightly", on: "", until: "2026-12-31T08:00:00.000Z" } as const;
const owner = { ...grant, kind: "last-owner", id: "p1", who: "ana@example.org", name: "Ana", role: "owner", on: "workspace" } as const;

beforeEach(() => {
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
  answer("get", "/api/v1/access/why", {}, { who: "a", action: "people.read", resource: "workspace", allowed: true, rule: "owner", says: "all", by: [], would_allow: [] });
  answer("get", REVIEW, {}, { items: [grant, token, owner] });
});

const panel = async (name: string) => within((await screen.findByRole("heading", { name })).closest("section") ?? document.body);

test("grants and tokens are revoked in place; people are led to", async () => {
  answer("delete", "/api/v1/grants/{id}", { id: "g1" }, { id: "g1", who: grant.who, role: "curator", on: grant.on, reason: "", granted_by: "ana", granted_at: AT, until: null, waits: false });
  answer("delete", "/api/v1/tokens/{id}", { id: "t1" }, { id: "t1", who: grant.who, name: "nightly", prefix: "calo_", scopes: ["read"], datasets: [], created_at: AT, until: AT, last_used: null });
  const { user } = showPage("/access/review");
  await user.click((await panel("Grants without use")).getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(sentTo("delete", "/api/v1/grants/{id}", { id: "g1" })).toHaveLength(1));
  await user.click((await panel("API tokens without use")).getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(sentTo("delete", "/api/v1/tokens/{id}", { id: "t1" })).toHaveLength(1));
  expect((await panel("One owner is left")).getByRole("link", { name: "Add an owner" }).getAttribute("href")).toBe("/people?who=ana%40example.org");
});

test("a row is kept with a reason, which the page shows with what was kept", async () => {
  answer("post", `${REVIEW}/kept`, {}, grant);
  const { user, address } = showPage("/access/review");
  await user.click((await panel("Grants without use")).getByRole("button", { name: "Keep" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Keep" }));
  await user.type(dialog.getByLabelText("Reason"), "back in spring{Enter}");
  await waitFor(() => expect(sentTo("post", `${REVIEW}/kept`, {})[0]?.body).toEqual({ kind: "grant-unused", id: "g1", reason: "back in spring" }));
  answer("get", REVIEW, {}, { items: [{ ...grant, kept: { by: "ana@example.org", at: AT, reason: "back in spring" } }] });
  await user.click(screen.getByRole("checkbox", { name: "Show what was kept" }));
  await waitFor(() => expect(address()).toBe("/access/review?kept=yes"));
  expect(await screen.findByText("kept by ana@example.org on 2026-06-30: back in spring")).toBeTruthy();
});

test("nothing to look at", async () => {
  answer("get", REVIEW, {}, { items: [] });
  showPage("/access/review");
  expect(await screen.findByRole("heading", { name: "Nothing to look at" })).toBeTruthy();
});

test("while the review loads", async () => {
  keepWaiting("get", REVIEW, {});
  showPage("/access/review");
  expect(await screen.findByRole("status", { name: "Loading the access review" })).toBeTruthy();
});

test("a refusal leads to the question why, and to asking for access", async () => {
  refuse("get", REVIEW, {}, { status: 403, code: "not-permitted", detail: "bo does not have the permission people.read on the workspace", action: "people.read", resource: "workspace" });
  showPage("/access/review");
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByRole("link", { name: "Why can\u2019t I?" }).getAttribute("href")).toBe("/access?ask=why&action=people.read&on=workspace");
  expect(alert.getByRole("link", { name: "Ask for access" }).getAttribute("href")).toBe("/access/requests?action=people.read&on=workspace");
});
