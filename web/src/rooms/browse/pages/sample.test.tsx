import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { showPage } from "@/testing/pages";
import { finding, findingPage, fullAnnotation, overview, sampleDetail } from "@/testing/records";
import { answerSample, origin, tracked } from "@/testing/samples";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const DATASET = { dataset: "streets" };
const ONE = { ...DATASET, sample_id: "01a22458" };
const AT = "/api/v1/datasets/{dataset}/samples/{sample_id}";
const LIVES = "/api/v1/datasets/{dataset}/finding-lives";
const DECISIONS = "/api/v1/datasets/{dataset}/finding-decisions";

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}", DATASET, overview());
  answer("get", "/api/v1/datasets/{dataset}/refs", DATASET, { items: [{ name: "main", kind: "branch", commit: null, protection: null }] });
  answerSample(sampleDetail({ id: "c6201fd0", name: "second.jpg", position: { index: 1, total: 2, previous: "01a22458", next: null } }));
  answerSample(sampleDetail());
});

const about = async () => within(await screen.findByRole("complementary", { name: "About this sample" }));

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/samples/01a22458");
  expect(await screen.findByRole("status", { name: "Loading the sample" })).toBeTruthy();
});

test("a sample that does not exist", async () => {
  refuse("get", AT, ONE, { status: 404, code: "sample-not-found", detail: "streets has no sample 01a22458" });
  showPage("/d/streets/samples/01a22458");
  expect((await screen.findByRole("alert")).textContent).toContain("streets has no sample 01a22458");
});

test("a sample without annotations, metadata, findings or embeddings", async () => {
  answerSample(sampleDetail({ label_sets: {}, metadata: {}, licence: "", position: null }));
  showPage("/d/streets/samples/01a22458");
  const inspector = await about();
  expect(inspector.getByText("No annotations in this label set.")).toBeTruthy();
  expect(inspector.queryByRole("heading", { name: "Metadata" })).toBeNull();
  expect(inspector.queryByRole("heading", { name: "Findings" })).toBeNull();
  expect(inspector.queryByRole("heading", { name: "Lineage" })).toBeNull();
  expect(await inspector.findByText("calotype embed streets")).toBeTruthy();
});

test("everything known about a sample stands beside its image", async () => {
  answerSample(sampleDetail({ children: [{ id: "c9", name: "mirror.jpg", media: "00" }], position: null }), {
    blame: [
      { id: "01a22458", sample_id: "01a22458", label_set: null, created: origin(), changed: origin() },
      { id: "2425ba06", sample_id: "01a22458", label_set: "ground_truth", created: origin(), changed: origin({ commit: "99999999aa", author: "ben", message: "fix classes" }) },
    ],
    models: [{ model: "dino", samples: 3 }], similar: [{ sample_id: "n1", name: "near.jpg", media: "01", distance: 0.0125 }],
  });
  const { user, address } = showPage("/d/streets/samples/01a22458");
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 2 annotations" })).toBeTruthy();
  const inspector = await about();
  expect(inspector.getByRole("link", { name: "mirror.jpg" })).toBeTruthy();
  expect(inspector.getByRole("link", { name: "night" }).getAttribute("href")).toContain("where=light");
  expect(inspector.getByText(/135 kB/)).toBeTruthy();
  expect((await inspector.findByRole("link", { name: /near\.jpg/ })).getAttribute("href")).toBe("/d/streets/samples/n1");
  const history = await inspector.findByText("1 annotation by ben");
  expect(history.closest("li")?.textContent).toContain("changed");
  await user.click(inspector.getByRole("button", { name: /car box/ }));
  expect(await inspector.findByRole("textbox", { name: "occluded" })).toBeTruthy();
  expect(address()).toContain("ann=2425ba06");
  await user.click(inspector.getByRole("button", { name: "Hide truck" }));
  expect(await inspector.findByRole("button", { name: "Show truck" })).toBeTruthy();
});

test("the page holds few of many annotations", async () => {
  const one = sampleDetail().label_sets["ground_truth"]?.[0];
  if (!one) throw new Error("a record without annotations");
  answerSample(sampleDetail({ label_sets: { ground_truth: Array.from({ length: 5000 }, (_, n) => ({ ...one, id: `a${n}` })) } }));
  showPage("/d/streets/samples/01a22458");
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 5000 annotations" })).toBeTruthy();
  const rows = (await about()).getAllByRole("button", { name: /car box/ });
  expect(rows.length).toBeLessThan(60);
  expect((await about()).getByText("5,000")).toBeTruthy();
  expect((await about()).getByText("Select one of the 5,000 annotations to see who drew it.")).toBeTruthy();
});

test("the arrow keys go to the next sample of the list", async () => {
  const { user, address } = showPage("/d/streets/samples/01a22458?where=width+%3E+3");
  expect(await screen.findByText("1 of 2")).toBeTruthy();
  await user.keyboard("{ArrowRight}");
  expect(await screen.findByText("2 of 2")).toBeTruthy();
  expect(address()).toBe("/d/streets/samples/c6201fd0?where=width+%3E+3&at=1");
  await waitFor(() => expect(screen.getByRole("button", { name: "Next sample" }).hasAttribute("disabled")).toBe(true));
});

test("from the findings of a run, next is the next finding", async () => {
  const second = finding({ sample: { id: "c6201fd0", name: "second.jpg", media: "02", width: 1, height: 1 }, annotation: "2e6d37dc", label_set: "ground_truth" });
  answer("get", "/api/v1/datasets/{dataset}/findings", DATASET, findingPage(finding(), finding({ sample: null }), second));
  const { user, address } = showPage("/d/streets/samples/01a22458?from=checks&run=r1&check=label-errors&at=0");
  expect(await screen.findByText("1 of 3 findings")).toBeTruthy();
  await user.keyboard("j");
  expect(await screen.findByText("3 of 3 findings")).toBeTruthy();
  expect(address()).toBe("/d/streets/samples/c6201fd0?from=checks&run=r1&check=label-errors&at=2&labels=ground_truth&ann=2e6d37dc");
  expect(sentTo("get", "/api/v1/datasets/{dataset}/findings", DATASET)[0]?.query).toMatchObject({ run: "r1", check: "label-errors" });
});

test("from a diff, next is the next sample that differs, in the state that has it", async () => {
  answerSample(sampleDetail({ id: "gone" }));
  const state = { media: "00", width: 960, height: 600, label_sets: {} };
  const compared = (id: string, index: number) => ({
    id, name: id, before: state, after: id === "gone" ? null : state, fields: [], changes: [],
    position: { index, total: 2, previous: index ? "01a22458" : null, next: index ? null : "gone" },
  });
  for (const [at, id] of ["01a22458", "gone"].entries()) answer("get", "/api/v1/datasets/{dataset}/diff/samples/{sample_id}", { ...DATASET, sample_id: id }, compared(id, at));
  const { user, address } = showPage("/d/streets/samples/01a22458?ref=v2&from=diff&a=v1&b=v2&change=moved");
  expect(await screen.findByText("1 of 2 changed")).toBeTruthy();
  await waitFor(() => expect(screen.getByRole("button", { name: "Next sample" }).hasAttribute("disabled")).toBe(false));
  await user.keyboard("j");
  expect(await screen.findByText("2 of 2 changed")).toBeTruthy();
  expect(address()).toBe("/d/streets/samples/gone?ref=v1&from=diff&a=v1&b=v2&change=moved");
});

test("a finding is decided in its place", async () => {
  let state: "open" | "rejected" = "open";
  answer("get", LIVES, DATASET, () => ({ total: 1, offset: 0, items: [tracked({ state, note: state === "open" ? null : "it is a van" })], counts: {}, precision: {} }));
  answer("post", DECISIONS, DATASET, ({ body }) => {
    state = (body as { state: "open" | "rejected" }).state;
    return { items: [tracked({ state })], decision: "d1", decided: 1, skipped: {} };
  });
  const { user } = showPage("/d/streets/samples/01a22458");
  const section = within(await screen.findByRole("region", { name: "Findings" }));
  expect(await section.findByText("Labelled car, it looks like truck (score 0.99)")).toBeTruthy();
  await user.click(section.getByRole("button", { name: "Reject" }));
  await user.type(section.getByRole("textbox", { name: "Reason" }), "it is a van{Enter}");
  expect(await section.findByText("it is a van")).toBeTruthy();
  await user.click(section.getByRole("button", { name: "Reopen" }));
  expect(await section.findByRole("button", { name: "Make it truck" })).toBeTruthy();
  expect(sentTo("post", DECISIONS, DATASET).map((sent) => sent.body)).toMatchObject([{ keys: ["73f6c6d2"], state: "rejected", note: "it is a van" }, { state: "open" }]);
});

test("a fix that is refused says so in its place", async () => {
  answerSample(sampleDetail(), { tracked: [tracked()] });
  refuse("post", "/api/v1/datasets/{dataset}/finding-fixes", DATASET, { status: 409, code: "finding-outdated", detail: "it refers to something that no longer exists", fix: "run `calotype check` again" });
  const { user } = showPage("/d/streets/samples/01a22458");
  await user.click(await screen.findByRole("button", { name: "Make it truck" }));
  expect((await screen.findByRole("alert")).textContent).toBe("It refers to something that no longer exists. Run calotype check again");
});

test("nothing is decided on a commit", async () => {
  answerSample(sampleDetail({ findings: [tracked()] }));
  showPage("/d/streets/samples/01a22458?ref=v1");
  expect(await screen.findByText(/it looks like truck/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Reject" })).toBeNull();
  expect(sentTo("get", LIVES, DATASET)).toEqual([]);
});

test("the link that is copied is pinned to the commit, and what is shown can be had as code", async () => {
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  const { user } = showPage("/d/streets/samples/01a22458?ann=2425ba06");
  await user.click(await screen.findByRole("button", { name: "Copy link" }));
  expect(write.mock.calls[0]?.[0]).toMatch(/\/d\/streets\/samples\/01a22458\?ref=12a093d52aa0\w+&ann=2425ba06$/);
  await user.click(screen.getByRole("button", { name: "Copy as code" }));
  const menu = within(screen.getByRole("dialog", { name: "Copy as code" }));
  expect(menu.getByText(/calotype --json samples streets@12a093d52aa0 --where 'name = "street-0001\.jpg"'/)).toBeTruthy();
  expect(menu.getByText(/ws\.dataset\("streets"\)\.at\("12a093d52aa0"\)/)).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog", { name: "Copy as code" })).toBeNull();
});

test("history and nearest images that cannot be had say so, and the rest stays", async () => {
  answerSample(sampleDetail(), { models: [{ model: "dino", samples: 1 }] });
  refuse("get", "/api/v1/datasets/{dataset}/blame/{which}", { ...DATASET, which: "01a22458" }, { status: 404, code: "blame-target-not-found", detail: "streets has no sample and no annotation '01a22458'" });
  refuse("get", "/api/v1/datasets/{dataset}/similar", DATASET, { status: 422, code: "vectors-invalid", detail: "these vectors cannot be used: it has no vector of 'dino'" });
  showPage("/d/streets/samples/01a22458");
  const inspector = await about();
  expect(await inspector.findByText(/These vectors cannot be used/)).toBeTruthy();
  expect(await inspector.findByText(/streets has no sample and no annotation/)).toBeTruthy();
  expect(inspector.getByRole("heading", { name: "Metadata" })).toBeTruthy();
});

test("a finding on another label set shows that set", async () => {
  const one = sampleDetail().label_sets["ground_truth"] ?? [];
  answerSample(sampleDetail({ label_sets: { ground_truth: one, "model:yolo": one.slice(1) } }), { tracked: [tracked({ annotation_id: "2e6d37dc", label_set: "model:yolo" })] });
  const { user, address } = showPage("/d/streets/samples/01a22458");
  await user.click(await screen.findByRole("button", { name: "Show the annotation of label-errors" }));
  await waitFor(() => expect(address()).toBe("/d/streets/samples/01a22458?labels=model%3Ayolo&ann=2e6d37dc"));
});

const twoSets = () => {
  const own = sampleDetail().label_sets["ground_truth"] ?? [];
  answerSample(sampleDetail({ position: null, label_sets: { "model:v1": [fullAnnotation({ id: "m1", author: "", score: 0.5 })], ground_truth: own } }));
};

test("label sets are drawn together, and the address says which", async () => {
  twoSets();
  const { user, address } = showPage("/d/streets/samples/01a22458");
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 2 annotations" })).toBeTruthy();
  const sets = within((await about()).getByRole("list", { name: "Drawn label sets" }));
  expect(sets.getAllByRole("listitem").map((row) => row.textContent)).toEqual(["ground_truth2", "model:v11"]);
  await user.click(sets.getByRole("checkbox", { name: "Draw model:v1" }));
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 3 annotations" })).toBeTruthy();
  expect(new URL(address(), "http://host").searchParams.get("sets")).toBe("ground_truth,model:v1");
  await user.click(sets.getByRole("checkbox", { name: "Draw ground_truth" }));
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 1 annotations" })).toBeTruthy();
  await user.keyboard("s");
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 3 annotations" })).toBeTruthy();
  await user.keyboard("s");
  await waitFor(() => expect(address()).not.toContain("sets="));
});

test("annotations are coloured as on the grid, by field and by key", async () => {
  twoSets();
  const { user, address } = showPage("/d/streets/samples/01a22458");
  const inspector = await about();
  await user.keyboard("o");
  expect(within(await inspector.findByRole("list", { name: "Meaning of the colours" })).getByText("ana")).toBeTruthy();
  expect(address()).toContain("colour=author");
  await user.selectOptions(inspector.getByRole("combobox", { name: "Colour by" }), "Open finding");
  await waitFor(() => expect(address()).toContain("colour=finding"));
  expect(inspector.getByText("with an open finding")).toBeTruthy();
});
