import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { RELEASE_FORMATS, type ReleasePlan } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { logged, neverChecked, overview, release, releaseRow } from "@/testing/records";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/releases";
const NONE = { added: 0, removed: 0, changed: 0 };
const CHANGES = { samples: NONE, annotations: { ...NONE, changed: 6 }, by_label_set: { ground_truth: { ...NONE, changed: 6 } } };
const plan = (change: Partial<ReleasePlan> = {}): ReleasePlan => ({ samples: 305, annotations: 5165, uncommitted: null, since: null, ...change });
const contract = (purposes: string[]) => ({ sha256: "ab".repeat(32), text: null, template: null, purposes, coverage: [], warnings: [] });

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, contract([]));
  answer("get", "/api/v1/datasets/{dataset}/log", ONE, { items: [logged()], dirty: false, changes: null });
  answer("get", `${AT}/plan`, ONE, plan());
});

test("loading", async () => {
  keepWaiting("get", AT, ONE);
  showPage("/d/streets/releases");
  expect(await screen.findByRole("status", { name: "Loading the releases" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "New release" }).hasAttribute("disabled")).toBe(true);
});

test("without releases it shows how to make one", async () => {
  answer("get", AT, ONE, { items: [] });
  showPage("/d/streets/releases");
  expect(await screen.findByRole("heading", { name: "No releases yet" })).toBeTruthy();
  expect(screen.getByText(/calotype release streets 1\.0\.0/)).toBeTruthy();
});

test("an error", async () => {
  refuse("get", AT, ONE, { status: 502, code: "storage-failed", detail: "disk error" });
  showPage("/d/streets/releases");
  expect((await screen.findByRole("alert")).textContent).toContain("storage-failed");
});

test("releases are listed with their splits", async () => {
  answer("get", AT, ONE, { items: [releaseRow()] });
  showPage("/d/streets/releases");
  const row = within((await screen.findByRole("link", { name: "1.0.0" })).closest("tr")!);
  expect(row.getByText("12 gates green")).toBeTruthy();
  expect(row.getByRole("img", { name: "Splits: train 255, val 50" })).toBeTruthy();
});

test("a new release keeps the splits, offers every format, and opens when it is made", async () => {
  answer("get", AT, ONE, { items: [releaseRow()] });
  answer("post", AT, ONE, releaseRow({ version: "1.1.0" }));
  answer("get", `${AT}/{version}`, { ...ONE, version: "1.1.0" }, release({ version: "1.1.0" }));
  const { user, address } = showPage("/d/streets/releases");
  await screen.findByRole("link", { name: "1.0.0" });
  await user.keyboard("n");
  const form = within(await screen.findByRole("dialog", { name: "New release" }));
  expect((form.getByRole("textbox", { name: "Version" }) as HTMLInputElement).value).toBe("1.1.0");
  expect(form.getAllByRole("checkbox").map((box) => box.closest("label")?.textContent)).toEqual([...RELEASE_FORMATS]);
  await user.click(form.getByRole("checkbox", { name: "yolo" }));
  await waitFor(() => expect(form.getByRole("button", { name: "Release" }).hasAttribute("disabled")).toBe(false));
  await user.click(form.getByRole("button", { name: "Release" }));
  expect(await screen.findByText("Released 1.1.0")).toBeTruthy();
  expect(sentTo("post", AT, ONE)[0]?.body).toEqual({ version: "1.1.0", formats: ["coco", "yolo"], split: null, by: null, where: null, purpose: "", uncommitted: false });
  await waitFor(() => expect(address()).toBe("/d/streets/releases/1.1.0"));
});

test("uncommitted changes are shown and need a yes", async () => {
  answer("get", AT, ONE, { items: [releaseRow()] });
  answer("get", `${AT}/plan`, ONE, plan({
    uncommitted: CHANGES, since: { version: "1.0.0", commit: "ab".repeat(32), same: false, documents: ["contract"], ...CHANGES },
  }));
  answer("post", AT, ONE, releaseRow({ version: "1.1.0" }));
  answer("get", `${AT}/{version}`, { ...ONE, version: "1.1.0" }, release({ version: "1.1.0" }));
  const { user } = showPage("/d/streets/releases");
  await screen.findByRole("link", { name: "1.0.0" });
  await user.keyboard("n");
  const form = within(await screen.findByRole("dialog", { name: "New release" }));
  const yes = await form.findByRole("checkbox", { name: /Commit and release the uncommitted changes too/ });
  expect(form.getByText("contract changed")).toBeTruthy();
  expect(form.getAllByRole("link", { name: "View changes" }).map((link) => link.getAttribute("href"))).toEqual([
    `/d/streets/diff?a=${"ab".repeat(6)}`, `/d/streets/diff?a=${logged().id.slice(0, 12)}`,
  ]);
  expect(form.getByRole("button", { name: "Release" }).hasAttribute("disabled")).toBe(true);
  await user.click(yes);
  await user.click(form.getByRole("button", { name: "Release" }));
  expect(await screen.findByText("Released 1.1.0")).toBeTruthy();
  expect(sentTo("post", AT, ONE)[0]?.body).toMatchObject({ uncommitted: true });
});

test("a release that would equal the one before says so", async () => {
  answer("get", AT, ONE, { items: [releaseRow()] });
  answer("get", `${AT}/plan`, ONE, plan({ since: { version: "1.0.0", commit: "ab".repeat(32), same: true, documents: [], ...CHANGES, annotations: NONE } }));
  const { user } = showPage("/d/streets/releases");
  await screen.findByRole("link", { name: "1.0.0" });
  await user.keyboard("n");
  expect(await screen.findByText(/Nothing differs from release 1.0.0/)).toBeTruthy();
});

test("a refused release lists the gates", async () => {
  answer("get", AT, ONE, { items: [] });
  answer("get", "/api/v1/datasets/{dataset}/contract", ONE, contract(["training"]));
  refuse("post", AT, ONE, {
    status: 409, code: "gates-not-green", detail: "2 gates are not green: gate readable is red; gate classes is missing", fix: "run `calotype check streets`",
  });
  const { user } = showPage("/d/streets/releases");
  await user.click(await screen.findByRole("button", { name: "New release" }));
  const form = within(await screen.findByRole("dialog", { name: "New release" }));
  await user.selectOptions(await form.findByRole("combobox", { name: "Purpose" }), "training");
  await user.selectOptions(form.getByRole("combobox", { name: "Splits" }), "create new splits");
  await user.clear(form.getByRole("textbox", { name: "Shares" }));
  expect(form.getByText(/Enter name=share pairs/)).toBeTruthy();
  expect(form.getByRole("button", { name: "Release" }).hasAttribute("disabled")).toBe(true);
  await user.type(form.getByRole("textbox", { name: "Shares" }), "train=.8, val=.2");
  await user.click(form.getByRole("button", { name: "Release" }));
  const alert = within(await form.findByRole("alert"));
  expect(alert.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["Gate readable is red", "Gate classes is missing"]);
  expect(alert.getByRole("link", { name: "Open the checks" }).getAttribute("href")).toBe("/d/streets/checks");
  expect(sentTo("post", AT, ONE)[0]?.body).toMatchObject({ split: { train: 0.8, val: 0.2 }, purpose: "training" });
});
