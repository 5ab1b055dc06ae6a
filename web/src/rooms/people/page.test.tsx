import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const PEOPLE = "/api/v1/people";
const GRANTS = "/api/v1/grants";
const TEAMS = "/api/v1/teams";
const AT = "2026-11-30T08:00:00.000Z";
const ana = { id: "1", email: "ana@example.org", name: "Ana", kind: "person", state: "active", created_at: AT, created_by: "ana@example.org" } as const;
const bo = { ...ana, id: "2", email: "bo@example.org", name: "Bo", state: "invited" } as const;
const owner = { id: "g1", who: ana.email, role: "owner", on: "workspace", reason: "first owner", granted_by: ana.email, granted_at: AT, until: null, waits: false };
const curator = { ...owner, id: "g2", who: bo.email, role: "curator", on: "dataset:streets", reason: "pilot", until: AT };

beforeEach(() => {
  answer("get", PEOPLE, {}, { items: [ana, bo] });
  answer("get", GRANTS, {}, { items: [owner, curator] });
  answer("get", TEAMS, {}, { items: [{ id: "v", name: "vision", members: [{ email: bo.email, name: "Bo", role: "annotator" }], datasets: ["night"] }] });
  answer("get", "/api/v1/datasets", {}, { items: [] });
});

test("people are listed with their roles, and one who has none sees nothing", async () => {
  answer("get", GRANTS, {}, { items: [owner] });
  answer("get", TEAMS, {}, { items: [] });
  showPage("/people");
  const row = async (name: string) => within((await screen.findByRole("button", { name })).closest("tr") ?? document.body);
  expect((await row("Ana")).getByText("owner")).toBeTruthy();
  expect((await row("Bo")).getByText("none: sees nothing")).toBeTruthy();
});

test("a person is added, and the invitation is shown once", async () => {
  answer("post", PEOPLE, {}, { person: { ...bo, name: "Chi" }, invitation: "s3cret" });
  const { user } = showPage("/people");
  await screen.findByRole("button", { name: "Bo" });
  await user.keyboard("n");
  const dialog = within(await screen.findByRole("dialog", { name: "Add a person" }));
  await user.type(dialog.getByLabelText("Name"), "Chi");
  await user.type(dialog.getByLabelText("Email"), "chi@example.org");
  await user.selectOptions(dialog.getByLabelText("Role"), "reviewer");
  await user.click(dialog.getByRole("button", { name: "Add" }));
  expect(((await dialog.findByLabelText("Invitation for Chi")) as HTMLInputElement).value).toContain("/invite#s3cret");
  expect(sentTo("post", PEOPLE, {})[0]?.body).toEqual({ email: "chi@example.org", name: "Chi", kind: "person", role: "reviewer", team: "" });
});

test("a refused address keeps what was typed and says why", async () => {
  refuse("post", PEOPLE, {}, { status: 409, code: "person-exists", detail: "an account with the address chi@example.org already exists", fix: "use another address" });
  const { user } = showPage("/people");
  await screen.findByRole("button", { name: "Bo" });
  await user.keyboard("n");
  const dialog = within(await screen.findByRole("dialog", { name: "Add a person" }));
  await user.type(dialog.getByLabelText("Name"), "Chi");
  await user.type(dialog.getByLabelText("Email"), "chi@example.org{Enter}");
  expect(await dialog.findByText(/already exists/)).toBeTruthy();
  expect((dialog.getByLabelText("Name") as HTMLInputElement).value).toBe("Chi");
});

test("a role is granted to the selected person, and revoked", async () => {
  answer("post", GRANTS, {}, curator);
  answer("delete", `${GRANTS}/{id}`, { id: "g2" }, curator);
  const { user, address } = showPage("/people");
  await user.click(await screen.findByRole("button", { name: "Bo" }));
  expect(address()).toContain("who=bo");
  const panel = within(await screen.findByRole("complementary", { name: "Bo" }));
  expect(panel.getByText(/in team vision/)).toBeTruthy();
  await user.click(panel.getByRole("button", { name: "Grant a role" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Grant a role" }));
  await user.selectOptions(dialog.getByLabelText("Role"), "ml-engineer");
  await user.selectOptions(dialog.getByLabelText("On"), "team:vision");
  await user.type(dialog.getByLabelText("Reason"), "spring");
  await user.click(dialog.getByRole("button", { name: "Grant" }));
  await waitFor(() => expect(sentTo("post", GRANTS, {})[0]?.body).toEqual({ who: bo.email, role: "ml-engineer", on: "team:vision", until: "", reason: "spring" }));
  await user.click(panel.getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(sentTo("delete", `${GRANTS}/{id}`, { id: "g2" })).toHaveLength(1));
});

test("what the server refuses to do to a person is shown", async () => {
  refuse("put", `${PEOPLE}/{who}/disabled`, { who: ana.email }, { status: 409, code: "last-owner", detail: "ana@example.org is the last owner of this workspace", fix: "make somebody else an owner first" });
  const { user } = showPage(`/people?who=${ana.email}`);
  await user.click(await screen.findByRole("button", { name: "Disable" }));
  expect(await screen.findByText(/is the last owner/)).toBeTruthy();
});

test("while people load the page says so", async () => {
  keepWaiting("get", PEOPLE, {});
  showPage("/people");
  expect(await screen.findByRole("status", { name: "Loading the people" })).toBeTruthy();
});

test("somebody who may not see people sees why", async () => {
  refuse("get", PEOPLE, {}, { status: 403, code: "not-permitted", detail: "bo does not have the permission people.read on the workspace" });
  showPage("/people");
  expect(await screen.findByText(/does not have the permission/)).toBeTruthy();
});
