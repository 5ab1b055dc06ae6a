import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { run } from "@/testing/records";
import { answer, keepWaiting, refuse } from "@/testing/server";

const ONE = { run_id: "r1" };
const AT = "/api/v1/runs/{run_id}";

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/runs/r1");
  expect(await screen.findByRole("status", { name: "Loading the run" })).toBeTruthy();
});

test("a run that does not exist", async () => {
  refuse("get", AT, ONE, { status: 404, code: "run-not-found", detail: "run r1 does not exist" });
  showPage("/runs/r1");
  expect((await screen.findByRole("alert")).textContent).toContain("run-not-found");
});

test("a failed run shows its stages, what failed and how to fix it", async () => {
  answer("get", AT, ONE, run({ id: "r1", state: "failed", error: { what: "images are missing", fix: "add them" } }));
  showPage("/runs/r1");
  expect((await screen.findByRole("alert")).textContent).toBe("Images are missing. Fix: add them");
  expect(screen.getByText("annotate")).toBeTruthy();
  expect(screen.getByText("256")).toBeTruthy();
  expect(screen.getByText("4.1 s")).toBeTruthy();
});

test("a run without stages", async () => {
  answer("get", AT, ONE, run({ id: "r1", stages: [] }));
  showPage("/runs/r1");
  expect(await screen.findByRole("heading", { name: "This run has no stages" })).toBeTruthy();
});
