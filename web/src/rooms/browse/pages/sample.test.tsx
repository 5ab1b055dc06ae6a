import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { overview, sampleDetail } from "@/testing/records";
import { answer, keepWaiting, refuse } from "@/testing/server";

const ONE = { dataset: "streets", sample_id: "01a22458" };
const NEXT = { dataset: "streets", sample_id: "c6201fd0" };
const AT = "/api/v1/datasets/{dataset}/samples/{sample_id}";

beforeEach(() => answer("get", "/api/v1/datasets/{dataset}", ONE, overview()));

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

test("a sample without annotations, metadata or findings", async () => {
  answer("get", AT, ONE, sampleDetail({ label_sets: {}, metadata: {}, licence: "", position: null }));
  showPage("/d/streets/samples/01a22458");
  const about = within(await screen.findByRole("complementary", { name: "About this sample" }));
  expect(about.getByText("No annotations in this label set.")).toBeTruthy();
  expect(about.queryByRole("heading", { name: "Metadata" })).toBeNull();
  expect(about.queryByRole("heading", { name: "Findings" })).toBeNull();
});

test("everything known about a sample stands beside its image", async () => {
  answer("get", AT, ONE, sampleDetail({
    findings: [{
      key: "k", check: "shape-mismatch", fault: "box", severity: "warning", sample_id: "01a22458", sample: "street-0001.jpg",
      annotation_id: "2425ba06", label_set: "ground_truth", reason: "the polygon and its box are 13 px apart", facts: {},
    }],
    children: [{ id: "c9", name: "mirror.jpg", media: "00" }], position: null,
  }));
  const { user } = showPage("/d/streets/samples/01a22458");
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 2 annotations" })).toBeTruthy();
  const about = within(screen.getByRole("complementary", { name: "About this sample" }));
  expect(about.getByText("The polygon and its box are 13 px apart")).toBeTruthy();
  expect(about.getByRole("link", { name: "mirror.jpg" })).toBeTruthy();
  expect(about.getByRole("link", { name: "night" }).getAttribute("href")).toContain("where=light");
  expect(about.getByText(/135 kB/)).toBeTruthy();
  await user.click(about.getByRole("button", { name: /car box/ }));
  expect(about.getByText("occluded: 0, by ana")).toBeTruthy();
  await user.click(about.getByRole("button", { name: "Hide truck" }));
  expect(await about.findByRole("button", { name: "Show truck" })).toBeTruthy();
});

test("the arrow keys go to the next sample of the list", async () => {
  answer("get", AT, ONE, sampleDetail());
  answer("get", AT, NEXT, sampleDetail({ id: "c6201fd0", name: "second.jpg", position: { index: 1, total: 2, previous: "01a22458", next: null } }));
  const { user, address } = showPage("/d/streets/samples/01a22458?where=width+%3E+3");
  expect(await screen.findByText("1 of 2")).toBeTruthy();
  await user.keyboard("{ArrowRight}");
  expect(await screen.findByText("2 of 2")).toBeTruthy();
  expect(address()).toBe("/d/streets/samples/c6201fd0?where=width+%3E+3&at=1");
  await waitFor(() => expect(screen.getByRole("button", { name: "Next sample" }).hasAttribute("disabled")).toBe(true));
});
