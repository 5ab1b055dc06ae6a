import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Shell } from "@/app/shell";
import { showPage } from "@/testing/pages";
import { answer, refuse, sentTo } from "@/testing/server";

const SESSION = "/api/v1/session";
const HEALTH = "/api/v1/health";

test("a server with accounts asks for address and password, and says what was wrong", async () => {
  refuse("get", SESSION, {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  refuse("get", "/api/v1/datasets", {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  refuse("post", "/api/v1/sign-in", {}, { status: 401, code: "sign-in-refused", detail: "the email address or the password is wrong" });
  refuse("get", "/api/v1/runs/current", {}, { status: 401, code: "not-signed-in", detail: "nobody is signed in" });
  answer("get", HEALTH, {}, { status: "ok", version: "0.1.0", accounts: true });
  const { user } = showPage("/", Shell);
  await user.type(await screen.findByLabelText("Email"), "ana@example.org");
  await user.type(screen.getByLabelText("Password"), "wrong{Enter}");
  expect(await screen.findByText(/is wrong/)).toBeTruthy();
  expect(sentTo("post", "/api/v1/sign-in", {})[0]?.body).toEqual({ email: "ana@example.org", password: "wrong" });
});
