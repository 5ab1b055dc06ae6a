import { screen, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { showPage } from "@/testing/pages";
import { gridObject, gridSample, neverChecked, overview, sampleDetail, facets } from "@/testing/records";
import { answerSample } from "@/testing/samples";
import { answer, keepWaiting, refuse, sentTo } from "@/testing/server";

const ONE = { dataset: "streets" };
const AT = "/api/v1/datasets/{dataset}/samples";
const EDITS = "/api/v1/datasets/{dataset}/edits";

const OBJECTS = "/api/v1/datasets/{dataset}/objects";
const OBJECT_IDS = "/api/v1/datasets/{dataset}/object-ids";
const objectsOf = (...items: ReturnType<typeof gridObject>[]) => ({ commit: null, total: items.length, offset: 0, items });
const CAR = gridObject();
const TRUCK = gridObject({ id: "2e6d37dc", class: "truck", class_id: 2, score: 0.512, sample: { ...gridObject().sample, id: "c6201fd0", name: "second.jpg" } });

beforeEach(() => {
  answer("get", "/api/v1/datasets/{dataset}", ONE, overview());
  answer("get", "/api/v1/datasets/{dataset}/checks", ONE, neverChecked);
  answer("get", "/api/v1/datasets/{dataset}/refs", ONE, { items: [{ name: "main", kind: "branch", commit: null, protection: null }, { name: "v1", kind: "tag", commit: null, protection: null }] });
  answer("get", EDITS, ONE, { items: [], to_undo: 0, to_redo: 0 });
  answer("get", "/api/v1/datasets/{dataset}/facets", ONE, facets());
  answer("get", "/api/v1/datasets/{dataset}/unknown-values", ONE, { items: [] });
});

const bar = () => within(screen.getByRole("region", { name: "Selection" }));

test("objects: loading", async () => {
  keepWaiting("get", OBJECTS, ONE);
  answer("get", AT, ONE, { commit: null, total: 1, offset: 0, items: [gridSample()] });
  const { user, address } = showPage("/d/streets/samples");
  await user.click(await screen.findByRole("radio", { name: /^Objects/ }));
  expect(await screen.findByRole("status", { name: "Loading objects" })).toBeTruthy();
  expect(address()).toBe("/d/streets/samples?show=objects");
});

test("a list without objects can be cleared of its filters", async () => {
  answer("get", OBJECTS, ONE, ({ query }) => (query.class ? objectsOf() : objectsOf(CAR)));
  const { user, address } = showPage("/d/streets/samples?show=objects&of=truck");
  expect(await screen.findByRole("heading", { name: "No objects" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Show all objects" }));
  expect(await screen.findByRole("link", { name: /^car/ })).toBeTruthy();
  expect(address()).toBe("/d/streets/samples?show=objects");
});

test("objects of an unknown class are refused with the reason", async () => {
  refuse("get", OBJECTS, ONE, { status: 404, code: "ontology-class-unknown", detail: "'carr' is not a class of the ontology", fix: "use one of its classes: car, truck" });
  showPage("/d/streets/samples?show=objects&of=carr");
  expect((await screen.findByRole("alert")).textContent).toContain("is not a class of the ontology");
});

test("objects stand in a grid; one class is shown, and an object opens on its sample, among the objects", async () => {
  answer("get", OBJECTS, ONE, ({ query }) => (query.class === "truck" ? objectsOf(TRUCK) : objectsOf(CAR, TRUCK)));
  answerSample(sampleDetail({ id: "c6201fd0", name: "second.jpg" }));
  answerSample(sampleDetail());
  const { user, address } = showPage("/d/streets/samples?show=objects&ref=v1&where=light+%3D+%22night%22");
  const grid = within(await screen.findByRole("grid", { name: "Objects" }));
  expect((await grid.findByRole("link", { name: /^truck/ })).textContent).toBe("truck0.51second.jpg, ground_truth");
  expect(screen.getByText("2 objects")).toBeTruthy();
  expect(sentTo("get", OBJECTS, ONE)[0]?.query.where).toBe('light = "night"');
  const filters = within(screen.getByRole("complementary", { name: "Classes and filters" }));
  await user.click(filters.getByRole("button", { name: /truck/ }));
  expect(await screen.findByText("1 object")).toBeTruthy();
  expect(new URLSearchParams(address().split("?")[1]).get("of")).toBe("truck");
  await user.keyboard("f");
  await user.click(screen.getByRole("button", { name: /Only truck/ }));
  await user.click(await grid.findByRole("link", { name: /^car/ }));
  expect(await screen.findByText("1 of 2 objects")).toBeTruthy();
  const opened = Object.fromEntries(new URLSearchParams(address().split("?")[1]));
  expect(opened).toEqual({ ref: "v1", where: 'light = "night"', from: "objects", at: "0", ann: "2425ba06" });
  await user.keyboard("j");
  expect(await screen.findByRole("heading", { name: "second.jpg" })).toBeTruthy();
  expect(new URLSearchParams(address().split("?")[1]).get("ann")).toBe("2e6d37dc");
});

test("chosen objects get a class at once, asked of the list of objects", async () => {
  answer("get", OBJECTS, ONE, objectsOf(CAR, TRUCK));
  answer("get", OBJECT_IDS, ONE, { commit: null, total: 2, offset: 0, ids: [CAR.id, TRUCK.id] });
  const posted: unknown[] = [];
  answer("post", EDITS, ONE, ({ body }) => {
    posted.push((body as { edits: unknown[] }).edits);
    return {
      edit: "e1", what: "set class", added: 0, changed: 2, deleted: 0, samples: 2, copies: 0, carried: 0, not_carried: {}, rows: [], repeated: false,
    };
  });
  const { user } = showPage("/d/streets/samples?show=objects");
  await screen.findByRole("link", { name: /^car/ });
  await user.keyboard("{Control>}a{/Control}");
  expect(bar().getByText("2 selected")).toBeTruthy();
  await user.keyboard("l");
  await user.type(bar().getByRole("combobox", { name: "Class" }), "truck{Enter}");
  expect(await screen.findByText("Set class truck: 2 objects changed")).toBeTruthy();
  expect(posted).toEqual([[CAR, TRUCK].map(({ id }) => ({ do: "set-class", annotation: id, class: "truck" }))]);
});

test("annotations are coloured by their author; the choice is in the address, and the colours are explained", async () => {
  answer("get", OBJECTS, ONE, objectsOf(CAR, { ...TRUCK, author: "ben" }));
  const { user, address } = showPage("/d/streets/samples?show=objects");
  await screen.findByRole("link", { name: /^car/ });
  const panel = within(screen.getByRole("complementary", { name: "Classes and filters" }));
  await user.selectOptions(panel.getByRole("combobox", { name: "Colour by" }), "Author");
  const legend = within(panel.getByRole("list", { name: "Meaning of the colours" }));
  expect(legend.getAllByRole("listitem").map((one) => one.textContent)).toEqual(["ana", "ben"]);
  expect(address()).toBe("/d/streets/samples?show=objects&colour=author");
  await user.selectOptions(panel.getByRole("combobox", { name: "Colour by" }), "Open finding");
  expect(panel.getByText("with an open finding")).toBeTruthy();
  await user.selectOptions(panel.getByRole("combobox", { name: "Colour by" }), "Class");
  expect(panel.queryByRole("list", { name: "Meaning of the colours" })).toBeNull();
  expect(address()).toBe("/d/streets/samples?show=objects");
});
