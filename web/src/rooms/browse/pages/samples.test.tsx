import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { checkResults, checkSummary, gridSample, neverChecked, overview, sampleDetail, facets } from "@/testing/records";
import { answerSample } from "@/testing/samples";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/samples";
const page = (...items: ReturnType<typeof gridSample>[]) => ({ commit: null, total: items.length, offset: 0, items });

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

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/samples");
  expect(await screen.findByRole("status", { name: "Loading samples" })).toBeTruthy();
});

test("a dataset without samples shows how to add images", async () => {
  answer("get", AT, ONE, page());
  showPage("/d/streets/samples");
  expect(await screen.findByRole("heading", { name: "No samples yet" })).toBeTruthy();
  expect(screen.getByText(/Unreadable files go to quarantine/)).toBeTruthy();
});

test("a query without matches can be cleared", async () => {
  answer("get", AT, ONE, ({ query }) => (query.where ? page() : page(gridSample())));
  const { user, address } = showPage("/d/streets/samples?where=width+%3C+3");
  expect(await screen.findByRole("heading", { name: "No matching samples" })).toBeTruthy();
  await user.click(screen.getByText("Clear the query"));
  expect(await screen.findByText("street-0001.jpg")).toBeTruthy();
  expect(address()).toBe("/d/streets/samples");
});

test("a query that cannot be parsed is marked where it fails", async () => {
  refuse("get", AT, ONE, {
    status: 422, code: "query-invalid", detail: "the query cannot be read: an operator is expected", where: "column 7", fix: "write `width > 3`",
  });
  showPage("/d/streets/samples?where=width+oops");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("an operator is expected");
  expect(alert.querySelector("mark")?.textContent).toBe("oops");
  expect(screen.getByRole("combobox", { name: "Query" }).getAttribute("aria-invalid")).toBe("true");
});

test("a failure of the server can be tried again", async () => {
  refuse("get", AT, ONE, { status: 502, code: "storage-failed", detail: "disk error" });
  showPage("/d/streets/samples");
  expect((await screen.findByRole("alert")).textContent).toContain("Disk error");
  expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
});

test("samples stand in a grid; classes and values filter them", async () => {
  answer("get", AT, ONE, page(gridSample({ findings: 2 }), gridSample({ id: "c6", name: "night.jpg", parent: "01a22458" })));
  const { user, address } = showPage("/d/streets/samples");
  const grid = within(await screen.findByRole("grid", { name: "Samples" }));
  const first = await grid.findByRole("link", { name: /street-0001\.jpg/ });
  expect(first.textContent).toContain(", 1 annotation, 2 findings");
  expect(grid.getByRole("link", { name: /night\.jpg/ }).textContent).toContain("derived");
  expect(screen.getByText("2 samples")).toBeTruthy();
  const facets = within(screen.getByRole("complementary", { name: "Classes and filters" }));
  await user.click(facets.getByRole("button", { name: /night/ }));
  await waitFor(() => expect(sentTo("get", AT, ONE).at(-1)?.query.where).toBe('light = "night"'));
  await user.click(facets.getByRole("switch", { name: "Show car" }));
  expect(address()).toContain("hide=1");
});

test("the keyboard moves through the grid and opens a sample", async () => {
  answer("get", AT, ONE, page(gridSample(), gridSample({ id: "c6201fd0", name: "second.jpg" })));
  answerSample(sampleDetail({ id: "c6201fd0", name: "second.jpg", position: null }));
  const { user, address } = showPage("/d/streets/samples");
  await screen.findByRole("link", { name: /second\.jpg/ });
  await user.keyboard("{ArrowRight}{ArrowRight}");
  await waitFor(() => expect(screen.getAllByRole("gridcell").map((cell) => cell.getAttribute("aria-selected"))).toEqual(["false", "true"]));
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "second.jpg" })).toBeTruthy();
  expect(address()).toBe("/d/streets/samples/c6201fd0?at=1");
});

test("words complete the query while it is typed", async () => {
  answer("get", AT, ONE, page(gridSample()));
  const { user } = showPage("/d/streets/samples");
  await screen.findByRole("link", { name: /street-0001/ });
  await user.type(screen.getByRole("combobox", { name: "Query" }), "light = ");
  const options = within(screen.getByRole("listbox", { name: "Suggestions" })).getAllByRole("option");
  expect(options.map((option) => option.textContent)).toEqual(['"day"200 samples', '"night"105 samples']);
});

const cell = (name: string) => screen.findByRole("link", { name: new RegExp(`^${name}`) });
const bar = () => within(screen.getByRole("region", { name: "Selection" }));

test("a range is selected with shift, far beyond what is loaded, and its ids are asked of the list", async () => {
  answer("get", AT, ONE, many(12_000));
  answer("get", IDS, ONE, manyIds(12_000));
  const posted: { edits: { do: string; sample: string }[] }[] = [];
  answer("post", EDITS, ONE, ({ body }) => {
    posted.push(body as (typeof posted)[number]);
    return edited(`e${posted.length}`, posted.at(-1)?.edits.length ?? 0);
  });
  const { user } = showPage("/d/streets/samples");
  const first = await cell("n1.jpg");
  fireEvent.click(first, { ctrlKey: true });
  expect(bar().getByText("1 selected")).toBeTruthy();
  await user.keyboard("{Shift>}{End}{/Shift}");
  expect(bar().getByText("11,999 selected")).toBeTruthy();
  await user.keyboard("t");
  await user.type(bar().getByRole("combobox", { name: "Tag to add" }), "night{Enter}");
  await waitFor(() => expect(screen.getByText("Add tag night: 11,999 samples changed")).toBeTruthy());
  expect(posted.map(({ edits }) => edits.length)).toEqual([10_000, 1_999]);
  expect([posted[0]?.edits[0], posted[1]?.edits.at(-1)]).toEqual([
    { do: "add-tags", sample: "s1", tags: ["night"] }, { do: "add-tags", sample: "s11999", tags: ["night"] },
  ]);
  expect(bar().getByText("11,999 selected")).toBeTruthy();

  const undone: string[] = [];
  answer("post", `${EDITS}/undo`, ONE, ({ body }) => {
    undone.push((body as { edit: string }).edit);
    return { edit: { what: "add tags" }, redo: true } as never;
  });
  await user.keyboard("{Control>}z{/Control}");
  await waitFor(() => expect(undone).toEqual(["e2", "e1"]));
  expect(await screen.findByText("Undone: Add tag night")).toBeTruthy();
});

test("undo of changes of many samples pressed twice takes back both, the last one first; redo brings both back", async () => {
  answer("get", AT, ONE, many(30));
  answer("get", IDS, ONE, manyIds(30));
  const asked: string[] = [];
  answer("post", EDITS, ONE, ({ body }) => edited(`e${asked.push("edit")}`, (body as { edits: unknown[] }).edits.length));
  answer("post", `${EDITS}/undo`, ONE, ({ body }) => (asked.push(`undo ${(body as { edit: string }).edit}`), { edit: { what: "add tags" } } as never));
  answer("post", `${EDITS}/redo`, ONE, () => (asked.push("redo"), { edit: { what: "add tags" } } as never));
  const { user } = showPage("/d/streets/samples");
  await cell("n1.jpg");
  await user.keyboard("{Control>}a{/Control}");
  for (const tag of ["night", "rain"]) {
    await user.keyboard("t");
    await user.type(bar().getByRole("combobox", { name: "Tag to add" }), `${tag}{Enter}`);
    expect(await screen.findByText(`Add tag ${tag}: 30 samples changed`)).toBeTruthy();
  }
  await user.keyboard("{Control>}zzyy{/Control}");
  await waitFor(() => expect(asked).toEqual(["edit", "edit", "undo e2", "undo e1", "redo", "redo"]));
  expect(await screen.findByText("Redone: Add tag rain")).toBeTruthy();
});

test("keys select: space, shift and an arrow, all, Escape", async () => {
  answer("get", AT, ONE, many(40));
  const { user } = showPage("/d/streets/samples?where=width+%3E+3");
  await cell("n0.jpg");
  await user.keyboard("{ArrowRight} {Shift>}{ArrowRight}{ArrowRight}{/Shift}");
  expect(bar().getByText("3 selected")).toBeTruthy();
  await user.keyboard("{Control>}a{/Control}");
  expect(bar().getByText("40 selected")).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("region", { name: "Selection" })).toBeNull();
  expect(screen.getByRole("combobox", { name: "Query" })).toHaveProperty("value", "width > 3");
  await user.click(screen.getByRole("button", { name: "Select n4.jpg" }));
  await user.click(bar().getByRole("button", { name: "Select all 40" }));
  expect(bar().getByText("40 selected")).toBeTruthy();
});

test("a refused change is said, and a list that changed is not edited", async () => {
  answer("get", AT, ONE, many(30));
  answer("get", IDS, ONE, manyIds(30));
  refuse("post", EDITS, ONE, { status: 403, code: "not-permitted", detail: "ana may not edit streets", fix: "ask an owner" });
  const { user } = showPage("/d/streets/samples");
  fireEvent.click(await cell("n2.jpg"), { ctrlKey: true });
  await user.click(bar().getByRole("button", { name: /Set split/ }));
  await user.type(bar().getByRole("combobox", { name: "Split" }), "val{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("Ana may not edit streets");
  answer("get", IDS, ONE, manyIds(30, "other"));
  await user.click(screen.getByRole("button", { name: "Dismiss" }));
  await user.keyboard("s");
  await user.type(bar().getByRole("combobox", { name: "Split" }), "val{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("The list has changed since the samples were selected");
  expect(sentTo("post", EDITS, ONE)).toHaveLength(1);
});

test("a state that is not the working state can be selected, not edited", async () => {
  answer("get", AT, ONE, many(30));
  showPage("/d/streets/samples?ref=v1");
  fireEvent.click(await cell("n2.jpg"), { ctrlKey: true });
  expect(bar().getByRole("button", { name: "Copy the ids" })).toBeTruthy();
  expect(bar().queryByRole("button", { name: /Add tag/ })).toBeNull();
});

test("counts are of the query: none while they load, estimated ones marked", async () => {
  answer("get", AT, ONE, many(30));
  keepWaiting("get", FACETS, ONE);
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, checkResults({ checks: [checkSummary({ name: "label-errors", title: "Wrong classes", findings: 31 })] }));
  const { user, address } = showPage("/d/streets/samples?where=light+%3D+%22night%22");
  const panel = within(await screen.findByRole("complementary", { name: "Classes and filters" }));
  expect(panel.getByRole("button", { name: "car …" })).toBeTruthy();
  await user.click(await panel.findByRole("button", { name: "label-errors 31" }));
  expect(new URLSearchParams(address().split("?")[1]).get("where")).toBe('light = "night" and finding = "label-errors"');
});

test("estimated counts are replaced by exact ones", async () => {
  answer("get", AT, ONE, many(30));
  let asked = 0;
  answer("get", FACETS, ONE, () => facets({ approximate: (asked += 1) === 1 }));
  showPage("/d/streets/samples?where=light+%3D+%22night%22");
  const panel = within(await screen.findByRole("complementary", { name: "Classes and filters" }));
  expect(await panel.findByRole("button", { name: "car ~1,043" })).toBeTruthy();
  expect(panel.getByText(/Estimated/)).toBeTruthy();
  expect(await panel.findByRole("button", { name: "car 1,043" }, { timeout: 5_000 })).toBeTruthy();
  expect(panel.getByRole("button", { name: "truck 0" })).toBeTruthy();
  expect(panel.queryByText(/Estimated/)).toBeNull();
});
