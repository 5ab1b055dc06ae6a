import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const SHOW = "/api/v1/device-sign-ins/show";
const ANSWER = "/api/v1/device-sign-ins/answer";
const program = {
  device: "calotype of bo on laptop", address: "10.0.0.7", scopes: ["read", "write"],
  created_at: "2026-11-30T08:00:00Z", expires_at: "2026-11-30T08:10:00Z",
};

test("a program is let in by whoever compares its code", async () => {
  answer("post", SHOW, {}, program);
  answer("post", ANSWER, {}, undefined);
  const { user } = showPage("/device?code=BCDF-GHJK");
  expect(await screen.findByText("calotype of bo on laptop")).toBeTruthy();
  expect(screen.getByLabelText("Code").textContent).toBe("BCDF-GHJK");
  expect(screen.getByText("10.0.0.7")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Let it in" }));
  await waitFor(() => expect(sentTo("post", ANSWER, {})[0]?.body).toEqual({ user_code: "BCDF-GHJK", allow: true }));
  expect(await screen.findByText("The program is signed in")).toBeTruthy();
});

test("a program that nobody asked for is refused", async () => {
  answer("post", SHOW, {}, program);
  answer("post", ANSWER, {}, undefined);
  const { user } = showPage("/device?code=BCDF-GHJK");
  await user.click(await screen.findByRole("button", { name: "Refuse" }));
  await waitFor(() => expect(sentTo("post", ANSWER, {})[0]?.body).toEqual({ user_code: "BCDF-GHJK", allow: false }));
  expect(await screen.findByText("The program was refused")).toBeTruthy();
});

test("without a code in the address it is entered", async () => {
  answer("post", SHOW, {}, program);
  const { user, address } = showPage("/device");
  await user.type(await screen.findByLabelText("Code"), "bcdf-ghjk{Enter}");
  await waitFor(() => expect(address()).toBe("/device?code=BCDF-GHJK"));
  expect(await screen.findByText("calotype of bo on laptop")).toBeTruthy();
});

test("a code whose time is over says so, and another can be entered", async () => {
  refuse("post", SHOW, {}, { status: 404, code: "device-code-unknown", detail: "no program waits under this code, or its time is over" });
  showPage("/device?code=BCDF-GHJK");
  expect(await screen.findByText(/no program waits under this code/i)).toBeTruthy();
  expect(screen.getByLabelText("Code")).toBeTruthy();
});

test("while the program is asked for", async () => {
  keepWaiting("post", SHOW, {});
  showPage("/device?code=BCDF-GHJK");
  expect(await screen.findByRole("status", { name: "Loading the program" })).toBeTruthy();
});
