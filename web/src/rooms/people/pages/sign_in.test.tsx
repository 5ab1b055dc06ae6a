import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Shell } from "@/app/shell";
import { showPage } from "@/testing/pages";
import { answer, refuse, sentTo } from "@/testing/server";

const SESSION = "/api/v1/session";
const HEALTH = "/api/v1/health";

const nobody = () => {
  for (const path of [SESSION, "/api/v1/datasets", "/api/v1/runs/current"] as const) {
    refuse("get", path, {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  }
};

test("a server with accounts asks for address and password, and says what was wrong", async () => {
  nobody();
  refuse("post", "/api/v1/sign-in", {}, { status: 401, code: "sign-in-refused", detail: "the email address or the password is wrong" });
  answer("get", HEALTH, {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
  const { user } = showPage("/", Shell);
  await user.type(await screen.findByLabelText("Email"), "ana@example.org");
  await user.type(screen.getByLabelText("Password"), "wrong{Enter}");
  expect(screen.queryByRole("link", { name: /Sign in with/ })).toBeNull();
  expect(await screen.findByText(/is wrong/)).toBeTruthy();
  expect(sentTo("post", "/api/v1/sign-in", {})[0]?.body).toEqual({ email: "ana@example.org", password: "wrong" });
});

test("a server with a provider leads to it by its name, and says why its answer was refused", async () => {
  nobody();
  answer("get", HEALTH, {}, { status: "ok", version: "0.1.0", accounts: true, provider: "Example" });
  window.history.replaceState(null, "", "/?refused=closed");
  showPage("/", Shell);
  expect((await screen.findByRole("link", { name: "Sign in with Example" })).getAttribute("href")).toBe("/api/v1/oidc/start");
  expect(screen.getByText(/None of your groups has a role here/)).toBeTruthy();
  window.history.replaceState(null, "", "/");
});
