import { expect, test } from "vitest";
import { eventsOf, follow, waitMs } from "@/api/events";

const streamOf = (...parts: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });

async function all(events: AsyncIterable<unknown>): Promise<unknown[]> {
  const got: unknown[] = [];
  for await (const event of events) got.push(event);
  return got;
}

test("events arrive in any parts; comments and an event that is cut off are left out", async () => {
  expect(await all(eventsOf(streamOf('data: {"a"', ':1}\n', '\n: no news\n\ndata: {"a":2}\n\ndata: {"a":')))).toEqual([{ a: 1 }, { a: 2 }]);
  expect(await all(eventsOf(streamOf()))).toEqual([]);
});

test("who stops reading ends the stream", async () => {
  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => void (isCancelled = true),
  });
  for await (const event of eventsOf(endless)) if (event === 1) break;
  expect(isCancelled).toBe(true);
});

test("the wait grows with each failure, up to half a minute", () => {
  expect([0, 1, 2, 5, 50].map((failures) => waitMs(failures, 1))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
  expect(waitMs(0, 0)).toBe(500);
});

test("a stream that breaks is opened again, and a value ends the growth of the wait", async () => {
  const stop = new AbortController();
  const opened = [[], [], [7], []];
  const values: number[] = [];
  const waited: number[] = [];
  let broken = 0;
  let at = 0;
  await follow({
    open: async function* () {
      yield* opened[at] ?? [];
      at += 1;
      throw new Error("cut off");
    },
    onValue: (value: number) => values.push(value),
    onBroken: () => (broken += 1),
    signal: stop.signal,
    wait: async (ms) => {
      waited.push(ms);
      if (at === opened.length) stop.abort();
      return Promise.resolve();
    },
  });
  expect(values).toEqual([7]);
  expect(broken).toBe(4);
  const least = [500, 1_000, 500, 1_000];
  expect(waited.map((ms, index) => ms >= least[index]! && ms <= 2 * least[index]!)).toEqual([true, true, true, true]);
});

test("who stops hears nothing more", async () => {
  const stop = new AbortController();
  let broken = 0;
  await follow({
    open: async function* () {
      yield 1;
      yield 2;
    },
    onValue: () => stop.abort(),
    onBroken: () => (broken += 1),
    signal: stop.signal,
  });
  expect(broken).toBe(0);
});
