import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { Edited, FullAnnotation, Mask, StagedEdits } from "@/api/schema.gen";
import { encode, extentOf } from "@/canvas/rle";
import { rectOf } from "@/canvas/shapes";
import { withRect } from "@/canvas/turned";
import { showPage } from "@/testing/pages";
import { fullAnnotation, overview, sampleDetail } from "@/testing/records";
import { answerSample, tracked } from "@/testing/samples";
import { answer, answerLater, keepWaiting, refuse, sentTo } from "@/testing/server";

/** What the room shows inside the page of a sample. */
const DATASET = { dataset: "streets" };
const EDITS = "/api/v1/datasets/{dataset}/edits";
const UNDO = "/api/v1/datasets/{dataset}/edits/undo";
const REDO = "/api/v1/datasets/{dataset}/edits/redo";

const staged = (n: number, more: Partial<StagedEdits> = {}): StagedEdits => ({
  items: Array.from({ length: n }, (_, at) => ({
    id: `e${at}`, verb: "annotate.edit", what: "class of 1 annotation set to truck", actor: "ana", at: "2026-11-28T22:49:48.114Z", undone: false, counts: {},
  })),
  to_undo: n, to_redo: 0, ...more,
});

const edited = (more: Partial<Edited> = {}): Edited => ({
  edit: "e1", what: "class of 1 annotation set to truck", added: 0, changed: 1, deleted: 0, samples: 0, copies: 0, carried: 0, not_carried: {}, repeated: false,
  rows: [{ annotation: "2425ba06", sample: "01a22458", seen: "t1", copies: 0 }], ...more,
});

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}", DATASET, overview());
  answer("get", "/api/v1/datasets/{dataset}/refs", DATASET, { items: [{ name: "main", kind: "branch", commit: null, protection: null }] });
  answerSample(sampleDetail({ position: null }));
});

const open = async (search = "?ann=2425ba06") => {
  const shown = showPage(`/d/streets/samples/01a22458${search}`);
  await screen.findByRole("img", { name: /street-0001.jpg/ });
  return shown;
};
const bodies = () => sentTo("post", EDITS, DATASET).map((sent) => sent.body);

test("nothing is shown where nothing is staged, or before it is known", async () => {
  keepWaiting("get", EDITS, DATASET);
  await open("");
  expect(screen.queryByRole("region", { name: "Staged edits" })).toBeNull();
  expect(screen.queryByRole("region", { name: /Edit the/ })).toBeNull();
});

test("a digit gives the selected annotation one of the most used classes, shown before it is answered", async () => {
  keepWaiting("post", EDITS, DATASET);
  const { user } = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  await user.keyboard("2");
  expect(await screen.findByRole("region", { name: "Edit the truck" })).toBeTruthy();
  expect(screen.getByText("1 staged edit")).toBeTruthy();
  expect(bodies()).toMatchObject([{ label_set: "ground_truth", edits: [{ do: "set-class", annotation: "2425ba06", class: "truck", seen: { class: "car" } }] }]);
});

test("an edit that is answered is counted while the list of edits is read again", async () => {
  const reading: ((list: StagedEdits) => void)[] = [];
  answer("post", EDITS, DATASET, () => {
    answerLater("get", EDITS, DATASET, () => new Promise<StagedEdits>((done) => reading.push(done)));
    return edited({ edit: "e0" });
  });
  const { user } = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  await user.keyboard("2");
  await waitFor(() => expect(reading).toHaveLength(1));
  expect(screen.queryByText("saving…")).toBeNull();
  expect(screen.getByText("1 staged edit")).toBeTruthy();
  reading[0]?.(staged(1));
  expect(await screen.findByText("last: class of 1 annotation set to truck")).toBeTruthy();
  expect(screen.getByText("1 staged edit")).toBeTruthy();
});

test("a refused edit is taken back, with its fix in its place", async () => {
  refuse("post", EDITS, DATASET, { status: 409, code: "edit-outdated", detail: "annotation 2425ba06 was changed since it was read: its class", fix: "read it again" });
  const { user } = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  await user.keyboard("2");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Not changed: car to truck. annotation 2425ba06 was changed since it was read: its class. Read it again");
  expect(screen.getByRole("region", { name: "Edit the car" })).toBeTruthy();
  await user.click(within(alert).getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a class is found by typing", async () => {
  answer("post", EDITS, DATASET, edited());
  const { user } = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  await user.keyboard("c");
  await user.type(await screen.findByRole("combobox", { name: "Class of the car" }), "tru{Enter}");
  await waitFor(() => expect(bodies()).toMatchObject([{ edits: [{ do: "set-class", class: "truck" }] }]));
});

test("another class for a finding is staged, and the finding is fixed", async () => {
  answerSample(sampleDetail({ position: null }), { tracked: [tracked()] });
  answer("post", EDITS, DATASET, edited());
  answer("post", "/api/v1/datasets/{dataset}/finding-decisions", DATASET, { items: [], decision: "d1", decided: 1, skipped: {} });
  const { user } = await open("");
  await user.click(await screen.findByRole("button", { name: "Another class" }));
  await user.type(await screen.findByRole("combobox", { name: "Class of the car" }), "truck{Enter}");
  await waitFor(() => expect(sentTo("post", "/api/v1/datasets/{dataset}/finding-decisions", DATASET).map((sent) => sent.body)).toMatchObject([{ keys: ["73f6c6d2"], state: "fixed" }]));
});

test("attributes are set, added and removed", async () => {
  answer("post", EDITS, DATASET, edited());
  const { user } = await open();
  const field = await screen.findByRole("textbox", { name: "occluded" });
  await user.clear(field);
  await user.type(field, "0.5{Enter}");
  await user.type(screen.getByRole("textbox", { name: "Name of a new attribute" }), "colour");
  await user.type(screen.getByRole("textbox", { name: "Value of the new attribute" }), "red{Enter}");
  await user.click(screen.getByRole("button", { name: "Remove occluded" }));
  await waitFor(() => expect(bodies()).toMatchObject([
    { edits: [{ do: "set-attributes", attributes: { occluded: 0.5 } }] }, { edits: [{ attributes: { colour: "red" } }] }, { edits: [{ attributes: { occluded: null } }] },
  ]));
});

test("Delete deletes, and the copies that have the label too are offered", async () => {
  answer("post", EDITS, DATASET, ({ body }) => edited((body as { carry_over?: boolean }).carry_over ? { copies: 2, carried: 2 } : { deleted: 1, copies: 2 }));
  answer("post", UNDO, DATASET, { edit: { ...staged(1).items[0] as StagedEdits["items"][number], undone: true }, to_undo: 0, to_redo: 1, dirty: false });
  const { user } = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  await user.keyboard("{Delete}");
  await user.click(await screen.findByRole("button", { name: "Apply to 2 copies too" }));
  await waitFor(() => expect(bodies()).toMatchObject([{ edits: [{ do: "delete", annotation: "2425ba06" }] }, { carry_over: true, edits: [{ do: "delete" }] }]));
  expect(sentTo("post", UNDO, DATASET).map((sent) => sent.body)).toEqual([{ edit: "e1" }]);
});

test("nudges of the image in focus move the annotation by pixels", async () => {
  answer("post", EDITS, DATASET, edited());
  const { user } = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  screen.getByRole("group", { name: "Image" }).focus();
  await user.keyboard("{ArrowRight}{Shift>}{ArrowDown}{/Shift}");
  // one edit, or two where the machine was slower than a pause between two keys; the queue's own test joins them
  await waitFor(() => expect(bodies().at(-1)).toMatchObject({ edits: [{ do: "set-shape", bbox: [139.5, 360.5, 180, 120] }] }));
});

const SIZE: [number, number] = [600, 960];
const shaped = async (a: Partial<FullAnnotation>) => {
  answer("post", EDITS, DATASET, edited());
  answerSample(sampleDetail({ position: null, label_sets: { ground_truth: [fullAnnotation(a)] } }));
  const shown = await open();
  await screen.findByRole("region", { name: "Edit the car" });
  return shown;
};

test("r and t turn a rotated box, and v walks over its edges to the knob", async () => {
  const tilted = withRect(fullAnnotation({ kind: "rotated_box" }), { x: 300, y: 200, w: 80, h: 40, angle: 0 });
  const { user } = await shaped(tilted);
  await user.keyboard("tR");
  await waitFor(() => expect(bodies().at(-1)).toMatchObject({ edits: [{ do: "set-shape", annotation: "2425ba06" }] }));
  const sent = (bodies().at(-1) as { edits: { rings: number[][] }[] }).edits[0];
  expect(((rectOf(sent?.rings[0])?.angle ?? 0) * 180) / Math.PI).toBeCloseTo(14, 6);
  screen.getByRole("group", { name: "Image" }).focus();
  await user.keyboard("V{Shift>}{ArrowRight}{/Shift}");
  await waitFor(() => expect(bodies().length).toBeGreaterThan(1));
});

test("a mask is painted and erased at the place of the brush by keys alone", async () => {
  const counts = encode({ x: 100, y: 100, width: 20, height: 20, bits: new Uint8Array(400).fill(1) }, SIZE);
  const { user } = await shaped({ kind: "mask", bbox: [100, 100, 20, 20], mask: { size: SIZE, counts } });
  await user.keyboard("p,");
  expect(screen.getByRole("button", { name: /Brush/ }).getAttribute("aria-pressed")).toBe("true");
  expect(screen.getByText("9 px")).toBeTruthy();
  await user.keyboard("{Shift>}{ArrowRight}{ArrowRight}{/Shift} ");
  await waitFor(() => expect(bodies()).toHaveLength(1));
  const painted = (bodies()[0] as { edits: { mask: Mask }[] }).edits[0]?.mask as Mask;
  expect(bodies()[0]).toMatchObject({ edits: [{ do: "set-shape", seen: { mask: { counts } } }] });
  expect(extentOf(painted)).toEqual({ x: 100, y: 100, width: 39, height: 20 });
  await user.keyboard("x");
  expect(screen.getByText(/drag to erase/)).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(screen.queryByText(/drag to erase/)).toBeNull();
});

test("erasing all of a mask is refused in words, and nothing is sent", async () => {
  const counts = encode({ x: 100, y: 100, width: 4, height: 4, bits: new Uint8Array(16).fill(1) }, SIZE);
  const { user } = await shaped({ kind: "mask", bbox: [100, 100, 4, 4], mask: { size: SIZE, counts } });
  await user.keyboard("x ");
  expect(await screen.findByText("A mask keeps a pixel at least: delete the annotation instead")).toBeTruthy();
  expect(bodies()).toEqual([]);
});

test("a keypoint is made hidden by its field, not labelled by key, and comes back in the middle of the box", async () => {
  const { user } = await shaped({ kind: "keypoints", bbox: [100, 100, 40, 60], keypoints: [110, 110, 2, 0, 0, 0] });
  await user.selectOptions(screen.getByRole("combobox", { name: "Visibility of point 2" }), "visible");
  await waitFor(() => expect(bodies().at(-1)).toMatchObject({ edits: [{ keypoints: [110, 110, 2, 120, 130, 2], bbox: [100, 100, 40, 60] }] }));
  screen.getByRole("group", { name: "Image" }).focus();
  await user.keyboard("vh");
  await waitFor(() => expect(bodies()).toHaveLength(2));
  expect((bodies()[1] as { edits: { keypoints: number[] }[] }).edits[0]?.keypoints[2]).toBe(1);
});

test("staged edits are undone by key and committed with a message", async () => {
  answerSample(sampleDetail({ position: null }), { edits: staged(3) });
  answer("post", UNDO, DATASET, { edit: { ...staged(1).items[0] as StagedEdits["items"][number], undone: true }, to_undo: 2, to_redo: 1, dirty: true });
  answer("post", "/api/v1/datasets/{dataset}/commits", DATASET, { id: "12345678abc", parents: [], author: "ana", message: "m", at: "2026-11-28T22:49:48.055Z", stats: { samples: 1, annotations: 1, label_sets: {} }, commit: "12345678abc" });
  answer("get", "/api/v1/datasets", {}, { items: [] });
  const { user } = await open();
  const bar = within(await screen.findByRole("region", { name: "Staged edits" }));
  expect(bar.getByText("3 staged edits")).toBeTruthy();
  expect((await bar.findByRole("link", { name: "View diff" })).getAttribute("href")).toBe("/d/streets/diff?a=12a093d52aa0");
  await user.keyboard("{Control>}z{/Control}");
  expect(await screen.findByText("Undone: class of 1 annotation set to truck")).toBeTruthy();
  await user.type(bar.getByRole("textbox", { name: "Commit message" }), "fix classes{Enter}");
  expect(await screen.findByText("Committed as 12345678")).toBeTruthy();
});

test("undo pressed twice and redo at once are all done, in order", async () => {
  answerSample(sampleDetail({ position: null }), { edits: staged(3) });
  const step = { edit: { ...staged(1).items[0] as StagedEdits["items"][number], undone: true }, to_undo: 2, to_redo: 1, dirty: true };
  const asked: string[] = [];
  answer("post", UNDO, DATASET, () => (asked.push("undo"), step));
  answer("post", REDO, DATASET, () => (asked.push("redo"), step));
  const { user } = await open();
  await screen.findByRole("region", { name: "Staged edits" });
  await user.keyboard("{Control>}zzy{/Control}");
  await waitFor(() => expect(asked).toEqual(["undo", "undo", "redo"]));
});

test("nothing is edited on a commit", async () => {
  await open("?ann=2425ba06&ref=v1");
  expect(screen.queryByRole("region", { name: /Edit the/ })).toBeNull();
  expect(screen.queryByRole("button", { name: /new box/ })).toBeNull();
});

test("on another branch, edits are staged, listed and committed there", async () => {
  const COMMITS = "/api/v1/datasets/{dataset}/commits";
  answerSample(sampleDetail({ position: null }), { edits: staged(1) });
  answer("post", EDITS, DATASET, edited());
  answer("post", COMMITS, DATASET, { id: "0123456789abcdef" } as never);
  const { user } = await open("?ann=2425ba06&ref=night%2B");
  const bar = within(await screen.findByRole("region", { name: "Staged edits" }));
  expect(bar.getByText("1 staged edit on night")).toBeTruthy();
  await user.keyboard("2");
  await waitFor(() => expect(sentTo("post", EDITS, DATASET)[0]?.query).toEqual({ branch: "night" }));
  await user.type(bar.getByRole("textbox", { name: "Commit message" }), "trucks at night{Enter}");
  expect(await screen.findByText(/^Committed as 01234567.* on night$/)).toBeTruthy();
  expect(sentTo("post", COMMITS, DATASET)[0]?.query).toEqual({ branch: "night" });
});
