import { screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Shell } from "@/app/shell";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const SHOW = "/api/v1/invitations/show";
const ACCEPT = "/api/v1/invitations/accept";

beforeEach(() => {
  window.location.hash = "#s3cret";
  refuse("get", "/api/v1/session", {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  refuse("get", "/api/v1/datasets", {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  refuse("get", "/api/v1/runs/current", {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
});
afterEach(() => void (window.location.hash = ""));

test("an invited person chooses a password; the address is fixed, the secret stays in the hash", async () => {
  answer("post", SHOW, {}, { email: "bo@example.org", name: "Bo", is_first_owner: false });
  answer("post", ACCEPT, {}, undefined);
  const { user, address } = showPage("/invite", Shell);
  expect(await screen.findByRole("heading", { name: "Welcome, Bo" })).toBeTruthy();
  expect((screen.getByLabelText("Email") as HTMLInputElement).readOnly).toBe(true);
  const accept = screen.getByRole("button", { name: "Choose the password and sign in" }) as HTMLButtonElement;
  await user.type(screen.getByLabelText("Password"), "too short");
  expect(accept.disabled).toBe(true);
  await user.type(screen.getByLabelText("Password"), ", but not now");
  await user.click(accept);
  await waitFor(() => expect(sentTo("post", ACCEPT, {})[0]?.body).toEqual({ secret: "s3cret", password: "too short, but not now", name: "Bo", email: "bo@example.org" }));
  await waitFor(() => expect(address()).toBe("/"));
});

test("the first owner brings name and address", async () => {
  answer("post", SHOW, {}, { email: "", name: "", is_first_owner: true });
  refuse("post", ACCEPT, {}, { status: 422, code: "password-invalid", detail: "this password cannot be used: it repeats a few characters" });
  const { user } = showPage("/invite", Shell);
  await user.type(await screen.findByLabelText("Email"), "ana@example.org");
  await user.type(screen.getByLabelText("Name"), "Ana");
  await user.type(screen.getByLabelText("Password"), "aaaaaaaaaaaaa{Enter}");
  expect(await screen.findByText(/repeats a few characters/)).toBeTruthy();
});

test("a link that was used says so", async () => {
  refuse("post", SHOW, {}, { status: 404, code: "invitation-invalid", detail: "this invitation was used, has ended, or never existed" });
  showPage("/invite", Shell);
  expect(await screen.findByText(/was used, has ended/)).toBeTruthy();
});

test("while the invitation loads", async () => {
  keepWaiting("post", SHOW, {});
  showPage("/invite", Shell);
  expect(await screen.findByRole("status", { name: "Loading the invitation" })).toBeTruthy();
});
