import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";
import { browserOf } from "./account";

const AT = "2026-11-30T08:00:00.000Z";
const session = { id: "s1", browser: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", address: "192.0.2.7", since: AT, last_used: AT, this: true };
const token = { id: "t1", who: "ana@example.org", name: "training", prefix: "calo_abcdefgh", scopes: ["read"], datasets: [], created_at: AT, until: AT, last_used: null };

beforeEach(() => {
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
  answer("get", "/api/v1/datasets", {}, { items: [] });
  answer("get", "/api/v1/account/sessions", {}, { items: [session, { ...session, id: "s2", this: false, browser: "curl/8" }] });
  answer("get", "/api/v1/tokens", {}, { items: [token] });
});

test("an account shows tokens and sessions, and ends others", async () => {
  answer("delete", "/api/v1/account/sessions/{id}", { id: "s2" }, undefined);
  answer("delete", "/api/v1/tokens/{id}", { id: "t1" }, token);
  const { user } = showPage("/account");
  expect(await screen.findByText("this session")).toBeTruthy();
  expect(screen.getByText("Chrome on Linux")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "End" }));
  await waitFor(() => expect(sentTo("delete", "/api/v1/account/sessions/{id}", { id: "s2" })).toHaveLength(1));
  await user.click(screen.getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(sentTo("delete", "/api/v1/tokens/{id}", { id: "t1" })).toHaveLength(1));
});

test("a token is shown once", async () => {
  answer("post", "/api/v1/tokens", {}, { token: "calo_whole", details: token });
  const { user } = showPage("/account");
  await user.click(await screen.findByRole("button", { name: "Create an API token" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Create an API token" }));
  await user.type(dialog.getByLabelText("Name"), "training");
  await user.selectOptions(dialog.getByLabelText("May"), "write");
  await user.click(dialog.getByRole("button", { name: "Create" }));
  expect(((await dialog.findByLabelText("Token training")) as HTMLInputElement).value).toBe("calo_whole");
  expect(sentTo("post", "/api/v1/tokens", {})[0]?.body).toEqual({ name: "training", scopes: ["write"], datasets: [], days: 90 });
});

test("browsers are named as people name them", () => {
  expect(browserOf("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140")).toBe("Edge on Windows");
  expect(browserOf("python-httpx/1")).toBe("python-httpx/1");
  expect(browserOf("")).toBe("unknown");
});

test("an account without tokens says what they are for", async () => {
  answer("get", "/api/v1/tokens", {}, { items: [] });
  showPage("/account");
  expect(await screen.findByText(/Programs use tokens/)).toBeTruthy();
});

test("while the account loads, and where it cannot be read", async () => {
  keepWaiting("get", "/api/v1/account/sessions", {});
  refuse("get", "/api/v1/tokens", {}, { status: 409, code: "account-needed", detail: "ana has no account here" });
  showPage("/account");
  expect(await screen.findByRole("status", { name: "Loading your account" })).toBeTruthy();
  expect(await screen.findByText(/has no account here/)).toBeTruthy();
});

test("on a server for one person it says how to have accounts", async () => {
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: false, provider: "" });
  showPage("/account");
  expect(await screen.findByText("This server has no accounts")).toBeTruthy();
});
