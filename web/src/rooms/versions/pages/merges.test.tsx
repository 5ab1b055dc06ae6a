import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { conflict, merge, sampleDetail } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const M1 = { ...ONE, merge: "m1" };
const AT = "/api/v1/datasets/{dataset}/merges";
const detail = (...items: ReturnType<typeof conflict>[]) => ({
  ...merge(), total: items.length, open: items.filter((item) => item.state === "open").length, items,
});

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/merges");
  expect(await screen.findByRole("status", { name: "Loading the merges" })).toBeTruthy();
});

test("without merges it shows how to merge", async () => {
  answer("get", AT, ONE, { items: [] });
  showPage("/d/streets/merges");
  expect(await screen.findByRole("heading", { name: "No merges yet" })).toBeTruthy();
  expect(screen.getByText("calotype merge streets BRANCH")).toBeTruthy();
});

test("an error", async () => {
  refuse("get", AT, ONE, { status: 403, code: "not-allowed", detail: "ana may not read streets" });
  showPage("/d/streets/merges");
  expect((await screen.findByRole("alert")).textContent).toContain("Ana may not read streets");
});

test("merges are listed with their states", async () => {
  answer("get", AT, ONE, {
    items: [merge(), merge({ merge: "m2", source: "ana", state: "landed" }), merge({ merge: "m3", source: "undo:12a093d52aa0", state: "abandoned" })],
  });
  showPage("/d/streets/merges");
  await screen.findByRole("link", { name: "ben" });
  const states = screen.getAllByRole("row").slice(1).map((row) => within(row).getAllByRole("cell").slice(0, 3).map((cell) => cell.textContent));
  expect(states).toEqual([["ben", "main", "conflicts"], ["ana", "main", "merged"], ["Undo of 12a093d5", "main", "abandoned"]]);
});

test("conflicts are resolved by key, then the merge is committed", async () => {
  answer("get", AT, ONE, { items: [merge()] });
  answer("get", `${AT}/{merge}`, M1, detail(conflict(), conflict({ position: 2, theirs: null, kind: "edit-delete" })));
  answer("get", "/api/v1/datasets/{dataset}/samples/{sample_id}", { ...ONE, sample_id: "01a22458" }, sampleDetail());
  answer("post", `${AT}/{merge}/choices`, M1, { settled: [1] });
  const { user, address } = showPage("/d/streets/merges?merge=m1");
  expect(await screen.findByRole("heading", { name: "Changed on both sides" })).toBeTruthy();
  const theirs = within(screen.getByRole("figure", { name: "Theirs" }));
  expect(theirs.getByText(/26\.0/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "2 unresolved" }).hasAttribute("disabled")).toBe(true);
  await user.keyboard("t");
  await waitFor(() => expect(address()).toContain("at=1"));
  expect(sentTo("post", `${AT}/{merge}/choices`, M1)[0]?.body).toEqual({ how: "theirs", which: [1] });
  expect(await screen.findByRole("heading", { name: "Edited on one side, removed on the other" })).toBeTruthy();
  expect(within(screen.getByRole("figure", { name: "Theirs" })).getByText("removed")).toBeTruthy();
});

test("a resolved merge is merged, and a refusal is shown", async () => {
  answer("get", AT, ONE, { items: [merge()] });
  answer("get", `${AT}/{merge}`, M1, detail(conflict({ state: "resolved", resolution: "ours" })));
  answer("get", "/api/v1/datasets/{dataset}/samples/{sample_id}", { ...ONE, sample_id: "01a22458" }, sampleDetail());
  refuse("post", `${AT}/{merge}/landing`, M1, { status: 409, code: "branch-moved", detail: "main has moved", fix: "merge again" });
  const { user } = showPage("/d/streets/merges?merge=m1");
  await user.click(await screen.findByRole("button", { name: "Merge into main" }));
  expect((await screen.findByRole("alert")).textContent).toContain("Merge again");
  answer("post", `${AT}/{merge}/landing`, M1, merge({ state: "landed" }));
  await user.click(screen.getByRole("button", { name: "Merge into main" }));
  expect(await screen.findByText("Merged into main")).toBeTruthy();
});

test("a merge without conflicts", async () => {
  answer("get", AT, ONE, { items: [merge({ state: "landed" })] });
  answer("get", `${AT}/{merge}`, M1, detail());
  showPage("/d/streets/merges?merge=m1");
  expect(await screen.findByText("The branches merged cleanly.")).toBeTruthy();
});
