import { expect, test, vi } from "vitest";
import { Problem } from "@/api/client";
import type { Edited, FullAnnotation } from "@/api/schema.gen";
import { remove, setClass, setShape } from "./changes";
import { EditQueue, type Entry } from "./queue";

const car: FullAnnotation = {
  id: "a1", kind: "box", class: "car", class_id: 1, bbox: [1, 2, 30, 40], rings: [], keypoints: [], mask: null, score: null, iscrowd: false, text: null,
  attributes: {}, author: "ana", area: 1200, source_id: "",
};
const HERE = { sample: "s1", labelSet: "ground_truth" };
const truck = { id: 2, name: "truck", annotations: 5 };
const bus = { id: 3, name: "bus", annotations: 4 };

const edited = (more: Partial<Edited> = {}): Edited => ({
  edit: "e1", what: "", added: 0, changed: 1, deleted: 0, samples: 0, copies: 0, carried: 0, not_carried: {}, repeated: false,
  rows: [{ annotation: "a1", sample: "s1", seen: "token-1", copies: 0 }], ...more,
});

const shown = (queue: EditQueue) => queue.get().entries.reduce<readonly FullAnnotation[]>((list, entry) => entry.change.apply(list), [car])[0];

test("a change is shown before it is answered, and is read again after", async () => {
  const reread = vi.fn(async () => {});
  const queue = new EditQueue({ send: async () => edited(), reread });
  queue.stage(setClass(car, truck), HERE);
  expect(shown(queue)?.class).toBe("truck");
  await queue.settled();
  expect([queue.get().entries, reread.mock.calls.length]).toEqual([[], 1]);
});

test("changes are sent in order, the second with the token that the first one answered", async () => {
  const sent: [string, string | undefined][] = [];
  const queue = new EditQueue({ send: async (entry, seen) => (sent.push([entry.change.title, seen]), edited()), reread: async () => {} });
  queue.stage(setClass(car, truck), HERE);
  queue.stage(setClass({ ...car, class: "truck" }, bus), HERE);
  expect(shown(queue)?.class).toBe("bus");
  await queue.settled();
  expect(sent).toEqual([["car to truck", undefined], ["truck to bus", "token-1"]]);
});

test("a refused change is taken back with those after it on the same annotation, and says why", async () => {
  const refused = new Problem(409, "edit-outdated", "annotation a1 was changed since it was read", "edits[0]", "read it again");
  const sent: Entry[] = [];
  const queue = new EditQueue({ send: async (entry) => { sent.push(entry); throw refused; }, reread: async () => {} });
  queue.stage(setClass(car, truck), HERE);
  queue.stage(remove(car), HERE);
  await queue.settled();
  expect([sent.length, shown(queue)?.class, queue.get().failure?.problem.fix]).toEqual([1, "car", "read it again"]);
});

test("nudges in a row are one edit, from what was there before the first", async () => {
  const sent: Entry[] = [];
  const queue = new EditQueue({ send: async (entry) => (sent.push(entry), edited()), reread: async () => {} });
  for (const x of [2, 3, 4]) queue.stage(setShape({ ...car, bbox: [x - 1, 2, 30, 40] }, { ...car, bbox: [x, 2, 30, 40] }), HERE, { later: true });
  expect(shown(queue)?.bbox).toEqual([4, 2, 30, 40]);
  await queue.settled();
  expect(sent.map((entry) => entry.change.edit)).toEqual([{ do: "set-shape", annotation: "a1", bbox: [4, 2, 30, 40], seen: { bbox: [1, 2, 30, 40] } }]);
});

test("what could not be reached is sent again with its id", async () => {
  const ids: string[] = [];
  let isUp = false;
  const send = async (entry: Entry) => {
    ids.push(entry.id);
    if (!isUp) throw new Problem(0, "unreachable", "cannot reach the server", "", "");
    return edited();
  };
  const queue = new EditQueue({ send, reread: async () => {} });
  queue.stage(setClass(car, truck), HERE);
  await queue.settled();
  isUp = true;
  queue.retry();
  await queue.settled();
  expect([ids.length, new Set(ids).size, queue.get().failure]).toEqual([2, 1, null]);
});

test("copies that have the label too are offered", async () => {
  const queue = new EditQueue({ send: async () => edited({ copies: 2 }), reread: async () => {} });
  queue.stage(setClass(car, truck), HERE);
  await queue.settled();
  expect(queue.get().offer).toMatchObject({ copies: 2, edit: "e1" });
});
