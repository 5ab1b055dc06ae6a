import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { OperationsBody, Work } from "@/api/schema.gen";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";
import { workRecord } from "@/testing/work";

const ONE = "/api/v1/assignments/{assignment}";
const AT = { assignment: "a1" };

/** A server that records whatever it is sent. */
function atWork(work: Work): void {
  answer("get", ONE, { assignment: work.assignment }, work);
  answer("post", `${ONE}/operations`, { assignment: work.assignment }, ({ body }) => ({
    recorded: (body as OperationsBody).operations.map(({ id }) => id), repeated: [], refused: [], annotations: [], position: 2, to_undo: 1, to_redo: 0,
    lease_until: work.lease_until, state: work.state,
  }));
}

const operations = () => sentTo("post", `${ONE}/operations`, AT).flatMap(({ body }) => (body as OperationsBody).operations);

test("loading", async () => {
  keepWaiting("get", ONE, AT);
  showPage("/annotate/a1");
  expect(await screen.findByRole("status", { name: "Loading the image" })).toBeTruthy();
});

test("an assignment of somebody else", async () => {
  refuse("get", ONE, AT, { status: 404, code: "assignment-not-found", detail: "assignment a1 does not exist, or is not yours", fix: "take the next one" });
  showPage("/annotate/a1");
  expect((await screen.findByRole("alert")).textContent).toContain("Take the next one");
});

test("an image without annotations says how to begin", async () => {
  atWork(workRecord({ annotations: [] }));
  showPage("/annotate/a1");
  expect(await screen.findByText(/Nothing is drawn yet/)).toBeTruthy();
  expect(screen.getByRole("img", { name: "street-0001.jpg, 0 annotations" })).toBeTruthy();
});

test("a selected annotation gets a class and a required attribute by keys, stored at once", async () => {
  atWork(workRecord());
  const { user } = showPage("/annotate/a1");
  expect(await screen.findByText("1, 1 incomplete")).toBeTruthy();
  await user.keyboard("n");
  const side = within(screen.getByRole("complementary", { name: "Annotations and attributes" }));
  await user.selectOptions(side.getByRole("combobox", { name: "view" }), "rear");
  await user.keyboard("2");
  await waitFor(() => expect(operations().map((one) => one.do)).toEqual(["set-attributes", "set-class"]));
  expect(await screen.findByText("All saved")).toBeTruthy();
  await user.keyboard("{Control>}z{/Control}");
  await waitFor(() => expect(operations().at(-1)?.do).toBe("undo"));
});

test("what lacks a required attribute is not submitted", async () => {
  atWork(workRecord());
  const { user } = showPage("/annotate/a1");
  await user.click(await screen.findByRole("button", { name: /Submit/ }));
  expect(await screen.findByText("car: view is required")).toBeTruthy();
  expect(sentTo("post", `${ONE}/submit`, AT)).toEqual([]);
});

test("a submission waits for the outbox and goes on with the next image", async () => {
  atWork(workRecord({ annotations: [] }));
  atWork(workRecord({ assignment: "a2", sample: { ...workRecord().sample, id: "s2", name: "street-0002.jpg" } }));
  answer("post", `${ONE}/submit`, AT, { assignment: "a1", state: "submitted", sample: "s1", sample_state: "submitted", review_reason: "", repeated: false });
  answer("post", "/api/v1/assignments/next", {}, { work: workRecord({ assignment: "a2", sample: { ...workRecord().sample, id: "s2", name: "street-0002.jpg" } }) });
  const { user, address } = showPage("/annotate/a1");
  await screen.findByText(/Nothing is drawn yet/);
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("img", { name: "street-0002.jpg, 1 annotations" })).toBeTruthy();
  expect(address()).toBe("/annotate/a2");
});

test("a review shows the copies, and sends one annotation back with a category", async () => {
  const copy = { ...workRecord().annotations[0], id: "c1", author: "ben" } as Work["annotations"][number];
  atWork(workRecord({ kind: "review", others: [{ assignment: "o1", author: "ben", annotations: [copy] }] }));
  answer("post", `${ONE}/review`, AT, { assignment: "a1", state: "submitted", sample: "s1", sample_state: "waiting", review_reason: "", repeated: false });
  answer("post", "/api/v1/assignments/next", {}, { work: null });
  answer("get", "/api/v1/assignments", {}, { open: [], batches: [], figures: { submitted: 0, accepted: 0, sent_back: 0, skipped: 0, active_s: 0, median_s: null } });
  const { user, address } = showPage("/annotate/a1");
  expect(await screen.findByRole("img", { name: "street-0001.jpg, 2 annotations" })).toBeTruthy();
  await user.keyboard("n");
  await user.keyboard("s");
  await user.selectOptions(screen.getByRole("combobox", { name: "Category" }), "loose-shape");
  await user.type(screen.getByRole("textbox", { name: "What is to be done" }), "the wheel{Enter}");
  expect(await screen.findByRole("region", { name: "To be sent back" })).toBeTruthy();
  await user.keyboard("{Escape}");
  await user.keyboard("s");
  await user.click(within(screen.getByRole("form", { name: "Send the image back" })).getByRole("button", { name: "Send back" }));
  await waitFor(() => expect(address()).toBe("/annotate"));
  expect(sentTo("post", `${ONE}/review`, AT)[0]?.body).toMatchObject({ verdict: "send-back", remarks: [{ annotation: "x1", category: "loose-shape", note: "the wheel" }] });
});

test("a guideline version that is new to one is acknowledged in place", async () => {
  atWork(workRecord({ guideline: { version: 2, acknowledged: false } }));
  answer("post", "/api/v1/datasets/{dataset}/guideline/reading", { dataset: "streets" }, {} as never);
  const { user } = showPage("/annotate/a1");
  expect(await screen.findByText("Version 2 of the guideline is new to you.")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "I have read it" }));
  await waitFor(() => expect(screen.queryByText("Version 2 of the guideline is new to you.")).toBeNull());
  expect(sentTo("post", "/api/v1/datasets/{dataset}/guideline/reading", { dataset: "streets" })[0]?.body).toEqual({ version: 2 });
});
