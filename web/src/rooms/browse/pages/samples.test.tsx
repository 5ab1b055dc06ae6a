import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { gridSample, overview, sampleDetail } from "@/testing/records";
import { answerSample } from "@/testing/samples";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/samples";
const page = (...items: ReturnType<typeof gridSample>[]) => ({ commit: null, total: items.length, offset: 0, items });

beforeEach(() => answer("get", "/api/v1/datasets/{dataset}", ONE, overview()));

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
