import { expect, test } from "vitest";
import { Problem } from "@/api/client";
import { Server, work } from "@/testing/recording_server";
import { inMemory, orInMemory, type OutboxStore } from "./outbox_store";
import { WorkSession, type Channel } from "./session";
import { uuid7 } from "./uuid";

const opened = async (server: Server, store: OutboxStore = inMemory(), more: { channel?: Channel; pause?: (ms: number) => Promise<void> } = {}) => {
  const session = new WorkSession(await server.reread(), { store, send: server.send, reread: server.reread, pause: () => new Promise(() => {}), ...more });
  await session.open();
  return session;
};
const add = (session: WorkSession, id: string, x = 1) => session.do({ do: "add", annotation: id, class: "car", kind: "box", bbox: [x, 1, 4, 4] });
const ids = (session: WorkSession) => session.get().rows.map(({ id }) => id).sort();

test("ids are UUIDs of version 7 in the order of time", () => {
  const [early, late] = [uuid7(1_000_000), uuid7(1_000_001)];
  expect(early).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect([late, early].sort()).toEqual([early, late]);
  expect(Number.parseInt(early.slice(0, 12), 16)).toBe(1_000_000);
});

test("an operation is shown at once, stored, and then recorded", async () => {
  const [server, store] = [new Server(), inMemory()];
  const session = await opened(server, store);
  add(session, "x");
  expect(ids(session)).toEqual(["x"]);
  expect(session.get().rows[0]).toMatchObject({ class_id: 1, bbox: [1, 1, 4, 4] });
  await session.outbox.drained();
  expect(server.seen.length).toBe(1);
  expect(session.delivery).toEqual({ waiting: 0, state: "saved", held: null });
  expect(await store.list("a1")).toEqual([]);
});

test("undo and redo are operations, shown before the server knows of them", async () => {
  const server = new Server();
  const session = await opened(server);
  add(session, "x");
  session.do({ do: "set-class", annotation: "x", class: "bus" });
  server.isAway = true;
  session.undo();
  expect(session.get().rows[0]?.class).toBe("car");
  session.undo();
  expect(ids(session)).toEqual([]);
  expect(session.get()).toMatchObject({ toUndo: 0, toRedo: 2 });
  session.redo();
  server.isAway = false;
  await session.outbox.drained();
  expect(ids(session)).toEqual(["x"]);
  expect([...server.rows.keys()]).toEqual(["x"]);
  expect(session.get()).toMatchObject({ toUndo: 1, toRedo: 1 });
});

test("an undo of what was done before the page was opened shows with the answer", async () => {
  const server = new Server();
  const first = await opened(server);
  add(first, "x");
  await first.outbox.drained();
  const second = await opened(server);
  expect(second.get().toUndo).toBe(1);
  second.undo();
  await second.outbox.drained();
  expect(ids(second)).toEqual([]);
});

test("200 operations without a server are there once it is back, once each", async () => {
  const [server, store] = [new Server(), inMemory()];
  server.isAway = true;
  const session = await opened(server, store);
  for (let n = 0; n < 200; n += 1) add(session, `x${n}`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(session.delivery).toMatchObject({ waiting: 200, state: "offline" });
  session.end();
  // The tab is gone; another one takes over what waited.
  server.isAway = false;
  const after = await opened(server, store);
  expect(after.get().rows.length).toBe(200);
  await after.outbox.drained();
  expect(server.rows.size).toBe(200);
  expect(new Set(server.seen).size).toBe(server.seen.length);
  expect(Math.max(...server.lists)).toBeLessThanOrEqual(100);
});

test("a lost answer doubles nothing, and the state is read again", async () => {
  const server = new Server();
  server.loseAnswers = 1;
  const session = await opened(server, inMemory(), { pause: async () => {} });
  add(session, "x");
  session.do({ do: "set-class", annotation: "x", class: "bus" });
  session.undo();
  await session.outbox.drained();
  expect(server.seen.length).toBe(3);
  expect(session.get().rows[0]?.class).toBe("car");
  expect(session.get()).toMatchObject({ toUndo: 1, toRedo: 1 });
});

test("a refused operation is taken back and says why; what came after it stays", async () => {
  const server = new Server();
  server.refuses = (one) => (one.do === "add" && one.annotation === "bad" ? "class-retired" : null);
  const session = await opened(server);
  add(session, "bad");
  add(session, "good");
  await session.outbox.drained();
  expect(ids(session)).toEqual(["good"]);
  expect(session.get().refused[0]?.refusal.what).toBe("class-retired");
  session.dismiss();
  expect(session.get().refused).toEqual([]);
});

test("a list that the server refuses as a whole is sent one by one, so that only the wrong one is taken back", async () => {
  const server = new Server();
  const send = server.send;
  const session = new WorkSession(work(), {
    store: inMemory(), reread: server.reread,
    send: async (operations) => {
      if (operations.some((one) => one.do === "add" && one.annotation === "bad")) throw new Problem(422, "invalid", "not a shape", "", "");
      return send(operations);
    },
  });
  for (const id of ["a", "b", "bad", "c"]) add(session, id);
  await session.outbox.drained();
  expect(ids(session)).toEqual(["a", "b", "c"]);
  expect(session.get().refused.map(({ refusal }) => refusal.what)).toEqual(["not a shape"]);
});

test("who has to sign in again loses nothing", async () => {
  const server = new Server();
  let isSignedIn = false;
  const session = new WorkSession(work(), {
    store: inMemory(), reread: server.reread,
    send: async (operations) => {
      if (!isSignedIn) throw new Problem(401, "not-signed-in", "sign in", "", "");
      return server.send(operations);
    },
  });
  add(session, "x");
  await expect(session.outbox.drained()).rejects.toThrow("sign in");
  expect(session.delivery).toMatchObject({ waiting: 1, state: "held" });
  isSignedIn = true;
  await session.outbox.drained();
  expect(server.rows.size).toBe(1);
});

test("nudges in a row are one operation", async () => {
  const server = new Server();
  const session = await opened(server);
  add(session, "x");
  await session.outbox.drained();
  for (let x = 2; x < 7; x += 1) session.do({ do: "set-shape", annotation: "x", bbox: [x, 1, 4, 4] }, { later: true });
  await session.outbox.drained();
  expect(server.seen.length).toBe(2);
  expect(server.rows.get("x")?.bbox).toEqual([6, 1, 4, 4]);
  session.undo();
  expect(session.get().rows[0]?.bbox).toEqual([1, 1, 4, 4]);
});

test("two tabs of one assignment show the same, and send each operation once", async () => {
  const [server, store] = [new Server(), inMemory()];
  const heard: ((message: never) => void)[] = [];
  const channel = (at: number): Channel => ({
    say: (message) => heard.forEach((listen, n) => n !== at && listen(structuredClone(message) as never)),
    hear: (listen) => void (heard[at] = listen as never), close: () => {},
  });
  let line: Promise<unknown> = Promise.resolve();
  const alone = <T>(run: () => Promise<T>): Promise<T> => {
    const mine = line.then(run);
    line = mine.catch(() => undefined);
    return mine;
  };
  const tabs = [0, 1].map((at) => new WorkSession(work(), { store, send: server.send, reread: server.reread, channel: channel(at), alone }));
  await Promise.all(tabs.map((tab) => tab.open()));
  const [one, two] = tabs as [WorkSession, WorkSession];
  for (let n = 0; n < 20; n += 1) add(n % 2 ? one : two, `x${n}`);
  two.do({ do: "delete", annotation: "x0" });
  await Promise.all(tabs.map((tab) => tab.outbox.drained()));
  expect(ids(one)).toEqual(ids(two));
  expect([...server.rows.keys()].sort()).toEqual(ids(one));
  expect(server.seen.length).toBe(21);
});

test("where the browser keeps nothing, operations are sent all the same", async () => {
  const server = new Server();
  const broken: OutboxStore = {
    put: () => Promise.reject(new Error("quota")), list: () => Promise.reject(new Error("closed")), remove: () => Promise.reject(new Error("closed")),
    waiting: () => Promise.reject(new Error("closed")),
  };
  const session = await opened(server, orInMemory(broken));
  add(session, "x");
  await session.outbox.drained();
  expect(server.rows.size).toBe(1);
});
