import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { commit, logged } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}";
const OLD = "9".repeat(64);
const COUNTS = { added: 0, removed: 0, changed: 0 };

beforeEach(() => answer("get", `${AT}/refs`, ONE, { items: [{ name: "main", kind: "branch", commit: OLD, protection: null }] }));

test("loading", async () => {
  keepWaiting("get", `${AT}/log`, ONE);
  showPage("/d/streets/history");
  expect(await screen.findByRole("status", { name: "Loading the history" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", `${AT}/log`, ONE, { status: 404, code: "ref-not-found", detail: "streets has no ref spring", fix: "run `calotype log streets`" });
  showPage("/d/streets/history?ref=spring");
  expect((await screen.findByRole("alert")).textContent).toContain("streets has no ref spring");
  expect(sentTo("get", `${AT}/log`, ONE)[0]?.query).toMatchObject({ ref: "spring" });
});

test("without commits it shows how to make one", async () => {
  answer("get", `${AT}/log`, ONE, { items: [], dirty: false, changes: null });
  showPage("/d/streets/history");
  expect(await screen.findByRole("heading", { name: "No commits yet" })).toBeTruthy();
  expect(screen.getByText('calotype commit streets -m "first import"')).toBeTruthy();
});

test("uncommitted changes are committed with a message", async () => {
  const changes = { samples: { ...COUNTS, added: 24 }, annotations: COUNTS, by_label_set: {} };
  answer("get", `${AT}/log`, ONE, { items: [], dirty: true, changes });
  answer("post", `${AT}/commits`, ONE, { ...commit({ id: OLD }), commit: OLD });
  const { user } = showPage("/d/streets/history");
  const box = within(await screen.findByRole("region", { name: "Uncommitted changes" }));
  expect(box.getByLabelText("24 added").textContent).toBe("+24");
  await user.keyboard("m");
  await user.keyboard("first import");
  answer("get", `${AT}/log`, ONE, { items: [logged({ id: OLD })], dirty: false, changes: null });
  await user.click(box.getByRole("button", { name: "Commit" }));
  expect(await screen.findByText("Committed as 99999999")).toBeTruthy();
  expect(sentTo("post", `${AT}/commits`, ONE)[0]?.body).toEqual({ message: "first import" });
  await waitFor(() => expect(screen.queryByRole("region", { name: "Uncommitted changes" })).toBeNull());
});

test("commits are listed with their growth; two of them are compared", async () => {
  answer("get", `${AT}/log`, ONE, {
    items: [
      logged({ message: "night copies", refs: ["main"], parents: [OLD], stats: { samples: 305, annotations: 5165, label_sets: {} } }),
      logged({ id: OLD, message: "first import", stats: { samples: 252, annotations: 4302, label_sets: {} } }),
    ],
    dirty: false, changes: null,
  });
  answer("get", `${AT}/diff`, ONE, { a: OLD, b: "", samples: COUNTS, annotations: COUNTS, by_label_set: {}, groups: [], total: 0, offset: 0, items: [] });
  const { user, address } = showPage("/d/streets/history");
  expect(await screen.findByText("+53 samples")).toBeTruthy();
  expect(screen.getByText("2 commits")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Compare (0 of 2)" }).hasAttribute("disabled")).toBe(true);
  await user.click(screen.getByRole("checkbox", { name: "Compare 12a093d5" }));
  await user.click(screen.getByRole("checkbox", { name: "Compare 99999999" }));
  await user.keyboard("c");
  expect(await screen.findByRole("heading", { name: "Diff" })).toBeTruthy();
  expect(address()).toBe("/d/streets/diff?a=999999999999&b=12a093d52aa0");
});

test("a commit is tagged and restored from its row", async () => {
  answer("get", `${AT}/log`, ONE, { items: [logged({ parents: [OLD] }), logged({ id: OLD })], dirty: true, changes: null });
  refuse("post", `${AT}/tags`, ONE, { status: 409, code: "ref-exists", detail: "tag spring already exists", fix: "choose another name" });
  answer("post", `${AT}/rollback`, ONE, { ...commit(), commit: commit().id });
  const { user } = showPage("/d/streets/history");
  await user.click(await screen.findByRole("button", { name: "Tag 99999999" }));
  await user.type(screen.getByRole("textbox", { name: "Name" }), "spring");
  await user.click(screen.getByRole("button", { name: "Tag" }));
  expect((await screen.findByRole("alert")).textContent).toBe("Tag spring already existsChoose another name");
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  await user.click(screen.getByRole("button", { name: "Roll back to 99999999" }));
  const go = screen.getByRole("button", { name: "Roll back" });
  expect(go.hasAttribute("disabled")).toBe(true);
  await user.click(screen.getByRole("checkbox", { name: "Discard the uncommitted changes permanently" }));
  await user.click(go);
  expect(await screen.findByText("Rolled back to 99999999")).toBeTruthy();
  expect(sentTo("post", `${AT}/rollback`, ONE)[0]?.body).toEqual({ to: OLD, discard: true });
});

test("a commit of somebody else is approved with a word, and who approved it before is named", async () => {
  const APPROVALS = `${AT}/commits/{commit}/approvals`;
  const PLACE = { ...ONE, commit: OLD };
  answer("get", `${AT}/log`, ONE, { items: [logged({ id: OLD, author: "bo@example.org" })], dirty: false, changes: null });
  answer("get", APPROVALS, PLACE, { items: [{ commit: OLD, by: "chi@example.org", reason: "", at: "2026-11-30T08:00:00Z" }] });
  refuse("post", APPROVALS, PLACE, { status: 403, code: "not-permitted", detail: "ana does not have the permission dataset.commit on streets; rule: guard-four-eyes" });
  const { user } = showPage("/d/streets/history");
  await user.click(await screen.findByRole("button", { name: "Approve 99999999" }));
  expect(await screen.findByText("Approved by chi@example.org")).toBeTruthy();
  await user.type(screen.getByRole("textbox", { name: /What you looked at/ }), "20 samples");
  await user.click(screen.getByRole("button", { name: "Approve" }));
  expect((await screen.findByRole("alert")).textContent).toContain("guard-four-eyes");
  answer("post", APPROVALS, PLACE, { commit: OLD, by: "ana@example.org", reason: "20 samples", at: "2026-11-30T08:00:00Z" });
  await user.click(screen.getByRole("button", { name: "Approve" }));
  expect(await screen.findByText("Approved 99999999")).toBeTruthy();
  expect(sentTo("post", APPROVALS, PLACE)[1]?.body).toEqual({ reason: "20 samples" });
});

test("branches, merges and releases are drawn and named, and walked by keys", async () => {
  const [M, B, A] = ["c", "b", "a"].map((letter) => letter.repeat(64)) as [string, string, string];
  answer("get", `${AT}/refs`, ONE, {
    items: [
      { name: "main", kind: "branch", commit: M, protection: null }, { name: "night", kind: "branch", commit: B, protection: null },
      { name: "release/1.0.0", kind: "tag", commit: A, protection: null },
    ],
  });
  answer("get", `${AT}/log`, ONE, {
    items: [
      logged({ id: M, message: "merge night", refs: ["main"], parents: [A, B] }), logged({ id: B, message: "relabel", refs: ["night"], parents: [A] }),
      logged({ id: A, message: "first import", refs: ["release/1.0.0"], parents: [] }),
    ],
    dirty: false, changes: null,
  });
  answer("get", `${AT}/diff`, ONE, { a: A, b: B, samples: COUNTS, annotations: COUNTS, by_label_set: {}, groups: [], total: 0, offset: 0, items: [] });
  const { user, address } = showPage("/d/streets/history");
  const rows = await within(await screen.findByRole("list", { name: "Commits" })).findAllByRole("listitem");
  expect(sentTo("get", `${AT}/log`, ONE)[0]?.query).toEqual({ ref: "", limit: "1000", all_refs: "true" });
  expect(within(rows[0]!).getByText("merge of aaaaaaaa and bbbbbbbb")).toBeTruthy();
  expect(rows.map((row) => [row.querySelectorAll(".graph-node[data-merge=true]").length, row.querySelectorAll(".graph-line").length])).toEqual([[1, 2], [0, 3], [0, 1]]);
  expect(within(rows[1]!).getByText("night")).toBeTruthy();
  expect(within(rows[2]!).getByText("release/1.0.0")).toBeTruthy();
  await user.keyboard("jj");
  await waitFor(() => expect(address()).toBe("/d/streets/history?commit=bbbbbbbbbbbb"));
  expect(rows[1]!.querySelector("[aria-current=true]")).toBeTruthy();
  await user.keyboard("x");
  await user.keyboard("{End}");
  await waitFor(() => expect(address()).toBe("/d/streets/history?commit=aaaaaaaaaaaa"));
  await user.keyboard("x");
  await screen.findByRole("button", { name: "Compare" });
  await user.keyboard("c");
  await waitFor(() => expect(address()).toBe("/d/streets/diff?a=aaaaaaaaaaaa&b=bbbbbbbbbbbb"));
});

test("of a long history only the rows in sight are rendered", async () => {
  const ids = Array.from({ length: 900 }, (_, at) => at.toString(16).padStart(64, "0"));
  answer("get", `${AT}/log`, ONE, { items: ids.map((id, at) => logged({ id, message: `commit ${at}`, parents: ids.slice(at + 1, at + 2) })), dirty: false, changes: null });
  showPage("/d/streets/history?ref=main");
  const list = within(await screen.findByRole("list", { name: "Commits" }));
  await list.findByText("commit 0");
  expect(list.getAllByRole("listitem").length).toBeLessThan(60);
  expect(screen.getByText("900 commits")).toBeTruthy();
  expect(sentTo("get", `${AT}/log`, ONE)[0]?.query).toEqual({ ref: "main", limit: "1000", all_refs: "false" });
});
