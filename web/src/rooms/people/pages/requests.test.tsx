import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const REQUESTS = "/api/v1/access/requests";
const FOUR_EYES = "/api/v1/organisation/four-eyes";
const WHY = "/api/v1/access/why";
const AT = "2026-11-30T08:00:00.000Z";
const request = {
  id: "r1", who: "bo@example.org", name: "Bo", role: "curator", on: "dataset:night", reason: "the night benchmark", asked_at: AT,
  state: "open", answered_at: null, answered_by: "", note: "", grant: "", may_answer: true,
} as const;
const why = { who: "ana@example.org", action: "dataset.export" as const, resource: "workspace", rule: "owner", says: "an owner may do everything", by: [], would_allow: [] };

const listed = (waiting: readonly object[], own: readonly object[]) =>
  answer("get", REQUESTS, {}, ({ query }) => ({ items: query["everyone"] ? waiting : own }) as never);

beforeEach(() => {
  answer("get", "/api/v1/health", {}, { status: "ok", version: "0.1.0", accounts: true, provider: "" });
  answer("get", "/api/v1/datasets", {}, { items: [] });
  answer("get", WHY, {}, ({ query }) => (query["resource"] === "workspace" ? { ...why, allowed: true } : { ...why, allowed: false, would_allow: [{ role: "ml-engineer", on: "dataset:night" }] }));
  answer("get", FOUR_EYES, {}, { on: false, off_asked_by: "" });
  listed([request], []);
});

test("an owner turns four eyes on, and learns that another owner has to turn them off, too", async () => {
  answer("put", FOUR_EYES, {}, ({ body }) => ({ on: true, off_asked_by: (body as { on: boolean }).on ? "" : "Ana" }));
  const { user } = showPage("/access/requests");
  await user.click(await screen.findByRole("button", { name: "Turn on" }));
  await user.click(await screen.findByRole("button", { name: "Turn off" }));
  expect(await screen.findByText(/Ana asks to turn this off; another owner has a week/)).toBeTruthy();
  expect(sentTo("put", FOUR_EYES, {}).map((sent) => sent.body)).toEqual([{ on: true }, { on: false }]);
});

test("a yes is given in place with its end and a note, and undone by revoking the grant", async () => {
  answer("post", `${REQUESTS}/{id}/answer`, { id: "r1" }, { ...request, state: "granted", grant: "g9", may_answer: false });
  answer("delete", "/api/v1/grants/{id}", { id: "g9" }, { id: "g9", who: request.who, role: "curator", on: "dataset:night", reason: "", granted_by: "ana", granted_at: AT, until: null, waits: false });
  const { user } = showPage("/access/requests");
  const row = within((await screen.findByText("the night benchmark")).closest("tr") ?? document.body);
  await user.type(row.getByLabelText("Note on curator on dataset:night for Bo"), "until spring");
  await user.click(row.getByRole("button", { name: "Yes" }));
  await waitFor(() => expect(sentTo("post", `${REQUESTS}/{id}/answer`, { id: "r1" })[0]?.body).toEqual({ yes: true, until: "", reason: "until spring" }));
  expect(await screen.findByText("Bo is curator on dataset:night now.")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Undo" }));
  await waitFor(() => expect(sentTo("delete", "/api/v1/grants/{id}", { id: "g9" })).toHaveLength(1));
});

test("a no grants nothing; what cannot be answered says why", async () => {
  answer("post", `${REQUESTS}/{id}/answer`, { id: "r1" }, { ...request, state: "refused", may_answer: false });
  const { user } = showPage("/access/requests");
  await user.click(await screen.findByRole("button", { name: "No" }));
  expect(await screen.findByText("Refused curator on dataset:night to Bo.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Undo" })).toBeNull();
  refuse("post", `${REQUESTS}/{id}/answer`, { id: "r1" }, { status: 422, code: "grant-place-invalid", detail: "a role cannot be granted on 'dataset:night'" });
  await user.click(screen.getByRole("button", { name: "Yes" }));
  expect((await screen.findByRole("alert")).textContent).toContain("cannot be granted");
});

test("one's own request and those for roles above one's own are answered by others", async () => {
  listed([{ ...request, may_answer: false }], []);
  showPage("/access/requests");
  expect(await screen.findByText("Somebody else answers this")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Yes" })).toBeNull();
});

test("a refusal fills in what to ask for: the smallest role that would have allowed it", async () => {
  answer("post", REQUESTS, {}, request);
  const { user, address } = showPage("/access/requests?action=dataset.export&on=dataset:night");
  const dialog = within(await screen.findByRole("dialog", { name: "Ask for access" }));
  await waitFor(() => expect((dialog.getByLabelText("Role") as HTMLSelectElement).value).toBe("ml-engineer"));
  expect((dialog.getByLabelText("Reason") as HTMLInputElement).value).toBe("To export on dataset:night");
  await user.click(dialog.getByRole("button", { name: "Ask" }));
  await waitFor(() => expect(sentTo("post", REQUESTS, {})[0]?.body).toEqual({ role: "ml-engineer", on: "dataset:night", reason: "To export on dataset:night", for_email: "" }));
  await waitFor(() => expect(address()).toBe("/access/requests"));
});

test("who answers none sees their own, and withdraws what is open", async () => {
  answer("get", WHY, {}, { ...why, allowed: false });
  listed([], [request, { ...request, id: "r0", state: "refused", note: "not this year", answered_by: "ana@example.org" }]);
  answer("delete", `${REQUESTS}/{id}`, { id: "r1" }, { ...request, state: "withdrawn" });
  const { user } = showPage("/access/requests");
  expect(await screen.findByText(/not this year/)).toBeTruthy();
  expect(screen.queryByRole("heading", { name: "Waiting for an answer" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Withdraw" }));
  await waitFor(() => expect(sentTo("delete", `${REQUESTS}/{id}`, { id: "r1" })).toHaveLength(1));
});

test("nothing asked yet", async () => {
  listed([], []);
  showPage("/access/requests");
  expect(await screen.findByText(/You have asked for nothing yet/)).toBeTruthy();
});

test("while the requests load", async () => {
  keepWaiting("get", REQUESTS, {});
  showPage("/access/requests");
  expect(await screen.findByRole("status", { name: "Loading your access requests" })).toBeTruthy();
});

test("an error", async () => {
  refuse("get", REQUESTS, {}, { status: 503, code: "storage-failed", detail: "the catalog cannot be read" });
  showPage("/access/requests");
  expect((await screen.findAllByRole("alert"))[0]?.textContent).toContain("The catalog cannot be read");
});

test("a governing role that one owner gave waits for the confirmation of another", async () => {
  const given = { ...request, role: "owner", on: "workspace", state: "to-confirm", answered_by: "ana@example.org", grant: "g1", reason: "" } as const;
  listed([given], []);
  answer("post", `${REQUESTS}/{id}/answer`, { id: "r1" }, { ...given, state: "granted", may_answer: false });
  const { user } = showPage("/access/requests");
  expect(await screen.findByText("given by ana@example.org; a second owner confirms")).toBeTruthy();
  expect(screen.queryByLabelText(/Last day/)).toBeNull();
  await user.click(screen.getByRole("button", { name: "Confirm" }));
  expect(await screen.findByText("Bo is owner on workspace now.")).toBeTruthy();
});

test("the first of two yeses says that it is not enough", async () => {
  answer("post", `${REQUESTS}/{id}/answer`, { id: "r1" }, { ...request, state: "to-confirm", grant: "g1", may_answer: false });
  const { user } = showPage("/access/requests");
  await user.click(await screen.findByRole("button", { name: "Yes" }));
  expect(await screen.findByText("Bo is curator on dataset:night once a second owner confirms it.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Undo" })).toBeNull();
});
