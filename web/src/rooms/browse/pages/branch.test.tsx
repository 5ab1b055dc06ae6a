import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { facets, gridSample, neverChecked, overview } from "@/testing/records";
import { answer, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/samples";

const EDITS = "/api/v1/datasets/{dataset}/edits";
const IDS = "/api/v1/datasets/{dataset}/sample-ids";
const UNKNOWN = "/api/v1/datasets/{dataset}/unknown-values";
const FACETS = "/api/v1/datasets/{dataset}/facets";

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/refs", ONE, { items: [{ name: "main", kind: "branch", commit: null, protection: null }, { name: "v1", kind: "tag", commit: null, protection: null }] });
  answer("get", EDITS, ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", FACETS, ONE, facets());
  answer("get", UNKNOWN, ONE, { items: [] });
  answer("get", "/api/v1/datasets/{dataset}/vectors", ONE, { items: [] });
});

/** A server that lists `total` samples, page by page. */
const many = (total: number) => ({ query }: { query: Record<string, string> }) => {
  const [offset, limit] = [Number(query.offset ?? 0), Number(query.limit ?? 100)];
  const items = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, n) => gridSample({ id: `s${offset + n}`, name: `n${offset + n}.jpg` }));
  return { commit: null, total, offset, items };
};
/** The ids of the same list. */
const manyIds = (total: number, prefix = "s") => ({ query }: { query: Record<string, string> }) => {
  const [offset, limit] = [Number(query.offset ?? 0), Number(query.limit ?? 100)];
  return { commit: null, total, offset, ids: Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, n) => `${prefix}${offset + n}`) };
};
const edited = (id: string, samples: number) => ({
  edit: id, what: "add tags", added: 0, changed: 0, deleted: 0, samples, copies: 0, carried: 0, not_carried: {}, rows: [], repeated: false,
});

const cell = (name: string) => screen.findByRole("link", { name: new RegExp(`^${name}`) });

const bar = () => within(screen.getByRole("region", { name: "Selection" }));

test("undo pressed twice after two changes of many takes back both, newest first, on the branch they were made on", async () => {
  answer("get", AT, ONE, many(12));
  answer("get", IDS, ONE, manyIds(12));
  let n = 0;
  answer("post", EDITS, ONE, ({ body }) => edited(`e${(n += 1)}`, (body as { edits: unknown[] }).edits.length));
  const undone: [string, string | undefined][] = [];
  answer("post", `${EDITS}/undo`, ONE, ({ body, query }) => {
    undone.push([(body as { edit: string }).edit, query["branch"]]);
    return { edit: { what: "add tags" }, redo: true } as never;
  });
  const { user } = showPage("/d/streets/samples?ref=night%2B");
  fireEvent.click(await cell("n1.jpg"), { ctrlKey: true });
  for (const tag of ["dusk", "rain"]) {
    await user.keyboard("t");
    await user.type(bar().getByRole("combobox", { name: "Tag to add" }), `${tag}{Enter}`);
    await screen.findByText(`Add tag ${tag}: 1 sample changed`);
  }
  expect(sentTo("post", EDITS, ONE).map(({ query }) => query["branch"])).toEqual(["night", "night"]);
  await user.keyboard("{Control>}zz{/Control}");
  await waitFor(() => expect(undone).toEqual([["e2", "night"], ["e1", "night"]]));
  expect(await screen.findByText("Undone: Add tag dusk")).toBeTruthy();
});

test("a protected branch says why nothing can be edited, and creates a branch to work on", async () => {
  const REFS = "/api/v1/datasets/{dataset}/refs";
  answer("get", AT, ONE, many(12));
  answer("get", REFS, ONE, { items: [{ name: "main", kind: "branch", commit: null, protection: { gates: true } }] } as never);
  showPage("/d/streets/samples");
  const note = within(await screen.findByRole("region", { name: "Protected branch" }));
  expect(note.getByText("main is protected: it changes by merges only. Edit on another branch, then merge it into main.")).toBeTruthy();
  fireEvent.click(await cell("n1.jpg"), { ctrlKey: true });
  expect(bar().queryByRole("button", { name: /Add tag/ })).toBeNull();
});

test("objects are sorted by their own size or score, samples are not", async () => {
  const OBJECTS = "/api/v1/datasets/{dataset}/objects";
  answer("get", OBJECTS, ONE, { commit: null, total: 0, offset: 0, items: [] });
  answer("get", AT, ONE, many(12));
  const { user, address } = showPage("/d/streets/samples?show=objects");
  await user.selectOptions(await screen.findByRole("combobox", { name: "Sort by" }), "Largest");
  await waitFor(() => expect(address()).toContain("sort=-size"));
  await waitFor(() => expect(sentTo("get", OBJECTS, ONE).at(-1)?.query).toMatchObject({ sort: "-size" }));
  await user.click(screen.getByRole("radio", { name: "Samples" }));
  await cell("n1.jpg");
  expect(sentTo("get", AT, ONE).at(-1)?.query["sort"]).toBeUndefined();
  expect((screen.getByRole("combobox", { name: "Sort by" }) as HTMLSelectElement).value).toBe("name");
});
