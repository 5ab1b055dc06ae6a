import { screen, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { annotation, gridSample, neverChecked, overview } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/samples";
const YOLO = { name: "model:yolo", annotations: 2, kinds: { box: 2 } };
const page = (...items: ReturnType<typeof gridSample>[]) => ({ commit: null, total: items.length, offset: 0, items });
const SECOND = gridSample({ id: "c6201fd0", name: "second.jpg", annotations: [] });

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}/vectors", ONE, { items: [] });
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview({ label_sets: [...overview().label_sets, YOLO] }));
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/edits", ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", "/api/v1/datasets/{dataset}/refs", ONE, {
    items: [{ name: "main", kind: "branch", commit: null, protection: null }, { name: "v1", kind: "tag", commit: null, protection: null }],
  });
});

const grid = async () => within(await screen.findByRole("grid", { name: "Samples" }));
const choice = async () => within(await screen.findByRole("complementary", { name: "Classes and filters" })).getByRole("combobox", { name: "Side by side with" });

test("two label sets stand side by side; the other one is asked for by the ids that are listed", async () => {
  answer("get", AT, ONE, ({ query }) =>
    query.label_set === "model:yolo" ? page(gridSample({ annotations: [annotation(), annotation({ id: "b" })] }), SECOND) : page(gridSample(), SECOND),
  );
  const { user, address } = showPage("/d/streets/samples");
  await screen.findByRole("link", { name: /second\.jpg/ });
  await user.selectOptions(await choice(), "model:yolo");
  const link = await (await grid()).findByRole("link", { name: /model:yolo, 2 annotations/ });
  expect(link.textContent).toBe("ground_truthmodel:yolostreet-0001.jpgtrain, 1 annotation; model:yolo, 2 annotations");
  expect(address()).toBe("/d/streets/samples?beside=model%3Ayolo");
  expect(sentTo("get", AT, ONE).at(-1)?.query.where).toBe('id in ("01a22458", "c6201fd0")');
});

test("two states: a sample that the other does not have says so; the choice can be taken back", async () => {
  answer("get", AT, ONE, ({ query }) => (query.ref === "v1" ? page(gridSample()) : page(gridSample(), SECOND)));
  const { user, address } = showPage("/d/streets/samples?against=v1");
  const link = await (await grid()).findByRole("link", { name: /second\.jpg/ });
  expect(link.textContent).toContain("working statenot in v1");
  await user.selectOptions(await choice(), "Nothing");
  expect((await (await grid()).findByRole("link", { name: /second\.jpg/ })).textContent).not.toContain("v1");
  expect(address()).toBe("/d/streets/samples");
});

test("side by side: loading", async () => {
  keepWaiting("get", AT, ONE);
  const { address } = showPage("/d/streets/samples?beside=model%3Ayolo");
  expect(await screen.findByRole("status", { name: "Loading samples" })).toBeTruthy();
  expect(address()).toContain("beside=model%3Ayolo");
});

test("side by side without a match is as empty as one list", async () => {
  answer("get", AT, ONE, page());
  showPage("/d/streets/samples?beside=model%3Ayolo");
  expect(await screen.findByRole("heading", { name: "No samples yet" })).toBeTruthy();
});

test("a state that cannot be asked is reported, and can be left", async () => {
  answer("get", AT, ONE, ({ query }) => {
    if (query.ref === "gone") throw new TypeError("cut off");
    return page(gridSample());
  });
  const { user } = showPage("/d/streets/samples?against=gone");
  expect((await screen.findByRole("alert")).textContent).toContain("Cannot reach the server");
  await user.selectOptions(await choice(), "Nothing");
  expect(await screen.findByRole("link", { name: /street-0001/ })).toBeTruthy();
});

test("side by side that cannot be listed says why", async () => {
  refuse("get", AT, ONE, { status: 502, code: "storage-failed", detail: "disk error" });
  showPage("/d/streets/samples?against=v1");
  expect((await screen.findByRole("alert")).textContent).toContain("Disk error");
});
