import { Problem } from "@/api/client";
import type { OutboxStore } from "./outbox_store";
import type { Operation, Recorded, Refusal } from "./types";

/** What is said of what waits. `held` says why nothing is sent any more until someone does something. */
export type Delivery = { waiting: number; state: "saved" | "sending" | "offline" | "held"; held: Problem | null };

export type Around = {
  assignment: string;
  store: OutboxStore;
  send: (operations: readonly Operation[]) => Promise<Recorded>;
  /** What the server said of the operations of one list; those that it refused are still to be taken back. */
  onAnswer: (sent: readonly Operation[], recorded: Recorded) => void | Promise<void>;
  onRefused: (operation: Operation, refusal: Refusal) => void;
  /** Wait; ends early where `wake` is called. Milliseconds. */
  pause?: (ms: number) => Promise<void>;
  /** Only one tab of an assignment sends at a time. */
  alone?: <T>(work: () => Promise<T>) => Promise<T>;
};

/** Operations of one list at most, and characters of it: masks are large. */
const [MOST, MOST_CHARACTERS] = [100, 400_000];
/** An operation that the next nudge may replace waits so long. */
const NUDGE_MS = 450;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 30_000];
/** What waiting can help: no answer, time-outs, too many requests, a server that is being started. */
const passes = ({ status }: Problem): boolean => status === 0 || status === 408 || status === 429 || status >= 500;
/** What signing in, or a right, can help: nothing is refused for it. */
const holds = ({ status }: Problem): boolean => status === 401 || status === 403;

/**
 * Operations on their way to the server: stored at once, sent in order, again after a failure, until the server has answered
 * each of them. Ids are the client's, so that what is sent twice is recorded once.
 */
export class Outbox {
  private delivery: Delivery = { waiting: 0, state: "saved", held: null };
  private readonly listeners = new Set<() => void>();
  private running: Promise<void> | null = null;
  private stored: Promise<unknown> = Promise.resolve();
  private wakeUp: (() => void) | null = null;
  private isOver = false;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly sent = new Set<string>();

  constructor(private readonly around: Around) {}

  readonly get = (): Delivery => this.delivery;
  readonly subscribe = (notify: () => void): (() => void) => {
    this.listeners.add(notify);
    return () => void this.listeners.delete(notify);
  };

  /** What waited when the page was closed, or was put by another tab. */
  async open(): Promise<Operation[]> {
    const waiting = await this.around.store.list(this.around.assignment);
    this.set({ waiting: waiting.length });
    if (waiting.length) void this.flush();
    return waiting;
  }

  /**
   * Store an operation and send it. With `later` it is stored at once and sent a little later, so that the next nudge can take
   * its place (`instead`).
   */
  async put(operation: Operation, { later = false, instead }: { later?: boolean; instead?: string | undefined } = {}): Promise<void> {
    this.set({ waiting: this.delivery.waiting + (instead ? 0 : 1), state: this.delivery.state === "saved" ? "sending" : this.delivery.state });
    const { assignment, store } = this.around;
    this.stored = this.stored.then(async () => {
      if (instead) await store.remove(assignment, [instead]);
      await store.put(assignment, operation);
    });
    clearTimeout(this.timer);
    await this.stored;
    if (later) this.timer = setTimeout(() => void this.flush(), NUDGE_MS);
    else void this.flush();
  }

  /** Whether an operation has not been on its way yet. */
  isHeldBack(id: string): boolean {
    return !this.sent.has(id);
  }

  /** Another tab has put an operation, or its operations were answered. */
  async recount(): Promise<void> {
    const waiting = await this.around.store.list(this.around.assignment);
    this.set({ waiting: waiting.length, ...(waiting.length === 0 && !this.running ? { state: "saved" as const } : {}) });
  }

  /** Send what waits; at once, where a pause was being made. Ends when nothing waits or nothing can be sent. */
  flush(): Promise<void> {
    this.again = true;
    this.wakeUp?.();
    this.running ??= this.work().finally(() => {
      this.running = null;
      if (this.again && !this.isOver) return this.flush();
    });
    return this.running;
  }

  /** Wait until everything is answered; rejects with the reason where it is held. */
  async drained(): Promise<void> {
    clearTimeout(this.timer);
    await this.stored;
    await this.flush();
    if (this.delivery.held) throw this.delivery.held;
  }

  end(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.wakeUp?.();
  }

  private async work(): Promise<void> {
    this.set({ held: null, state: this.delivery.waiting ? "sending" : this.delivery.state });
    let pause = FIRST_PAUSE_MS;
    while (this.again && !this.isOver) {
      this.again = false;
      const outcome = await (this.around.alone ?? ((work) => work()))(() => this.sendAll());
      if (outcome === null) {
        pause = FIRST_PAUSE_MS;
      } else if (passes(outcome)) {
        this.set({ state: "offline" });
        await this.paused(pause);
        pause = Math.min(LONGEST_PAUSE_MS, 2 * pause);
        this.again = true;
      } else {
        return this.set({ state: "held", held: outcome });
      }
    }
    if (!this.isOver) this.set({ state: this.delivery.waiting ? "sending" : "saved" });
  }

  /** Send lists until nothing waits: null, or what went wrong. */
  private async sendAll(): Promise<Problem | null> {
    let most = MOST;
    for (;;) {
      await this.stored;
      const waiting = await this.around.store.list(this.around.assignment);
      this.set({ waiting: waiting.length });
      if (waiting.length === 0 || this.isOver) return null;
      const part = listed(waiting, most);
      for (const { id } of part) this.sent.add(id);
      try {
        const recorded = await this.around.send(part);
        await this.answered(part, recorded);
        this.set({ state: "sending" });
        most = MOST;
      } catch (error) {
        const problem = error instanceof Problem ? error : new Problem(0, "page-failed", String(error), "", "reload the page");
        if (passes(problem) || holds(problem)) return problem;
        // The server refuses the list as a whole: the one that it means is known once each is sent by itself.
        if (part.length > 1) {
          most = Math.max(1, Math.floor(part.length / 2));
          continue;
        }
        await this.refused(part[0] as Operation, { id: part[0]?.id ?? "", code: problem.code, what: problem.detail });
      }
    }
  }

  private async answered(sent: readonly Operation[], recorded: Recorded): Promise<void> {
    await this.around.onAnswer(sent, recorded);
    await this.around.store.remove(this.around.assignment, sent.map(({ id }) => id));
    for (const refusal of recorded.refused) {
      const operation = sent.find(({ id }) => plain(id) === plain(refusal.id));
      if (operation) this.around.onRefused(operation, refusal);
    }
  }

  private async refused(operation: Operation, refusal: Refusal): Promise<void> {
    await this.around.store.remove(this.around.assignment, [operation.id]);
    this.around.onRefused(operation, refusal);
  }

  private async paused(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.wakeUp = resolve));
    await Promise.race([woken, (this.around.pause ?? sleep)(ms)]);
    this.wakeUp = null;
  }

  private set(next: Partial<Delivery>): void {
    const now = { ...this.delivery, ...next };
    if (now.waiting === this.delivery.waiting && now.state === this.delivery.state && now.held === this.delivery.held) return;
    this.delivery = now;
    for (const notify of [...this.listeners]) notify();
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Ids with or without dashes are one id. */
const plain = (id: string): string => id.replaceAll("-", "");

function listed(waiting: readonly Operation[], most: number): Operation[] {
  const part: Operation[] = [];
  let characters = 0;
  for (const operation of waiting) {
    characters += "mask" in operation && operation.mask ? operation.mask.counts.length + 200 : 200 + 12 * pointsOf(operation);
    if (part.length >= most || (part.length > 0 && characters > MOST_CHARACTERS)) break;
    part.push(operation);
  }
  return part;
}

const pointsOf = (operation: Operation): number =>
  "rings" in operation && operation.rings ? operation.rings.reduce((sum, ring) => sum + ring.length, 0) : 0;
