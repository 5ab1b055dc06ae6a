import type { Operation } from "./types";

/** An operation that the server has not answered yet; `at` orders those of one assignment. */
export type Stored = { at: number; assignment: string; operation: Operation };

/** Where operations wait. A tab may be killed at any moment: what `put` has answered is there again after it. */
export type OutboxStore = {
  put: (assignment: string, operation: Operation) => Promise<void>;
  /** Those of an assignment in the order in which they were put. */
  list: (assignment: string) => Promise<Operation[]>;
  remove: (assignment: string, ids: readonly string[]) => Promise<void>;
  /** Assignments that have operations waiting. */
  waiting: () => Promise<Map<string, number>>;
};

/** Operations in memory: for tests, and where a browser has no database, as in some private windows. */
export function inMemory(kept: Stored[] = []): OutboxStore {
  const mine = (assignment: string) => kept.filter((one) => one.assignment === assignment);
  return {
    put: async (assignment, operation) => void kept.push({ at: kept.length, assignment, operation }),
    list: async (assignment) => mine(assignment).map((one) => one.operation),
    remove: async (assignment, ids) => {
      const gone = new Set(ids);
      for (let at = kept.length - 1; at >= 0; at -= 1) {
        const one = kept[at];
        if (one?.assignment === assignment && gone.has(one.operation.id)) kept.splice(at, 1);
      }
    },
    waiting: async () => counted(kept),
  };
}

const [DATABASE, OPERATIONS, BY_ASSIGNMENT] = ["calotype-outbox", "operations", "assignment"] as const;

/** Operations in the browser's database, which every tab of this server shares. */
export function inBrowser(): OutboxStore {
  let opened: Promise<IDBDatabase> | null = null;
  const database = () => (opened ??= open().catch((error: unknown) => {
    opened = null;
    throw error;
  }));
  const work = async <T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T> | null): Promise<T | undefined> => {
    const transaction = (await database()).transaction(OPERATIONS, mode);
    const request = run(transaction.objectStore(OPERATIONS));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    return request?.result;
  };
  const stored = async (assignment: string): Promise<Stored[]> =>
    ((await work("readonly", (store) => store.index(BY_ASSIGNMENT).getAll(assignment) as IDBRequest<Stored[]>)) ?? []).sort((a, b) => a.at - b.at);
  return {
    put: async (assignment, operation) => void (await work("readwrite", (store) => store.add({ assignment, operation }))),
    list: async (assignment) => (await stored(assignment)).map((one) => one.operation),
    remove: async (assignment, ids) => {
      const gone = new Set(ids);
      const places = (await stored(assignment)).filter((one) => gone.has(one.operation.id));
      if (places.length === 0) return;
      await work("readwrite", (store) => {
        for (const { at } of places) store.delete(at);
        return null;
      });
    },
    waiting: async () => counted((await work("readonly", (store) => store.getAll() as IDBRequest<Stored[]>)) ?? []),
  };
}

/** A store that goes on in memory where the first one fails: what it could not keep is sent all the same. */
export function orInMemory(first: OutboxStore, second = inMemory()): OutboxStore {
  return {
    put: (assignment, operation) => first.put(assignment, operation).catch(() => second.put(assignment, operation)),
    list: async (assignment) => [...(await first.list(assignment).catch(() => [])), ...(await second.list(assignment))],
    remove: async (assignment, ids) => {
      await first.remove(assignment, ids).catch(() => undefined);
      await second.remove(assignment, ids);
    },
    waiting: async () => new Map([...(await first.waiting().catch(() => new Map<string, number>())), ...(await second.waiting())]),
  };
}

function counted(all: readonly Stored[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { assignment } of all) counts.set(assignment, (counts.get(assignment) ?? 0) + 1);
  return counts;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(OPERATIONS, { keyPath: "at", autoIncrement: true });
      store.createIndex(BY_ASSIGNMENT, "assignment");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database cannot be opened"));
  });
}
