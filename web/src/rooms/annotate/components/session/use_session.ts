import { useEffect, useMemo, useSyncExternalStore } from "react";
import * as api from "../../api";
import { ActiveTime } from "./active_time";
import { Outbox } from "./outbox";
import { inBrowser, orInMemory } from "./outbox_store";
import { WorkSession, type Channel } from "./session";
import type { Work } from "./types";

const store = orInMemory(inBrowser());

/** One tab of an assignment sends at a time, where the browser has locks (it has none without https). */
const aloneOf = (assignment: string) => <T>(work: () => Promise<T>): Promise<T> =>
  navigator.locks as LockManager | undefined ? (navigator.locks.request(`calotype-work-${assignment}`, work) as Promise<T>) : work();

function channelOf(assignment: string): Channel | undefined {
  if (typeof BroadcastChannel === "undefined") return undefined;
  const channel = new BroadcastChannel(`calotype-work-${assignment}`);
  return {
    say: (message) => channel.postMessage(message),
    hear: (listen) => (channel.onmessage = ({ data }: MessageEvent) => listen(data as never)),
    close: () => channel.close(),
  };
}

export type Opened = { session: WorkSession; active: ActiveTime };

/** The session of an assignment; it goes on sending after the page was left. */
export function useSession(work: Work): Opened {
  const opened = useMemo(() => {
    const active = new ActiveTime();
    const session = new WorkSession(work, {
      store, active: () => active.take(), channel: channelOf(work.assignment), alone: aloneOf(work.assignment),
      send: (operations) => api.sendOperations(work.assignment, operations), reread: () => api.readWork(work.assignment),
    });
    return { session, active };
    // What is read of the assignment later is in the session already.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [work.assignment]);
  useEffect(() => {
    const { session } = opened;
    const flush = () => void session.outbox.flush();
    void session.open();
    window.addEventListener("online", flush);
    return () => {
      window.removeEventListener("online", flush);
      void session.outbox.drained().catch(() => undefined).finally(() => session.end());
    };
  }, [opened]);
  useSyncExternalStore(opened.session.subscribe, opened.session.get);
  return opened;
}

/** Send what waits of assignments that no page shows; answers how many operations there were. */
export async function sendWaiting(without?: string): Promise<number> {
  let total = 0;
  for (const [assignment, n] of await store.waiting()) {
    if (assignment === without) continue;
    total += n;
    const outbox = new Outbox({
      assignment, store, send: (operations) => api.sendOperations(assignment, operations), onAnswer: () => {}, onRefused: () => {}, alone: aloneOf(assignment),
    });
    void outbox.flush();
  }
  return total;
}
