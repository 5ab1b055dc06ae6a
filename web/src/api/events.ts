/** The data of a stream of server-sent events, each parsed from JSON. Comments, which keep the connection open, are skipped. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) if (event.startsWith("data: ")) yield JSON.parse(event.slice("data: ".length));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

const [FIRST_MS, LONGEST_MS] = [1_000, 30_000];

/** How long to wait before a stream is opened again: longer with each failure, and not the same for every page. */
export const waitMs = (failures: number, chance = Math.random()): number => Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + chance / 2);

type Followed<T> = {
  open: (signal: AbortSignal) => AsyncIterable<T>;
  onValue: (value: T) => void;
  /** The stream broke or ended; it will be opened again. */
  onBroken: () => void;
  signal: AbortSignal;
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** Follow a stream until the signal says to stop, and open it again when it breaks. */
export async function follow<T>({ open, onValue, onBroken, signal, wait = pause }: Followed<T>): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      for await (const value of open(signal)) {
        failures = 0;
        onValue(value);
      }
    } catch {
      // Why it broke is asked by the poll that replaces it.
    }
    if (signal.aborted) return;
    onBroken();
    await wait(waitMs(failures), signal);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
