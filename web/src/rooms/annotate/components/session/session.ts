import { applied, corrected, historyOf, type History } from "./history";
import { Outbox, type Delivery } from "./outbox";
import type { OutboxStore } from "./outbox_store";
import type { Operation, Recorded, Refusal, Row, Wish, Work } from "./types";
import { uuid7 } from "./uuid";

/** An operation that the server refused, and why; it is taken back here. */
export type Refused = { operation: Operation; refusal: Refusal };

export type SessionState = {
  rows: readonly Row[];
  toUndo: number;
  toRedo: number;
  refused: readonly Refused[];
};

/** What tabs that show one assignment say to each other. */
type Said = { what: "put"; operation: Operation; instead?: string | undefined } | { what: "answered"; sent: readonly Operation[]; recorded: Recorded };
export type Channel = { say: (message: Said) => void; hear: (listen: (message: Said) => void) => void; close: () => void };

export type SessionAround = {
  store: OutboxStore;
  send: (operations: readonly Operation[]) => Promise<Recorded>;
  /** Read the assignment again. */
  reread: () => Promise<Work>;
  channel?: Channel | undefined;
  alone?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  pause?: ((ms: number) => Promise<void>) | undefined;
  /** Milliseconds of work since the last operation. */
  active?: (() => number) | undefined;
};

type Counts = { toUndo: number; toRedo: number };

/**
 * One assignment while it is worked on. What the server has is the base; operations that wait are applied to it, and what is
 * shown is the outcome. An answer moves operations into the base; a refusal only takes them out of the waiting ones.
 */
export class WorkSession {
  readonly outbox: Outbox;
  private base: History;
  private shown: History;
  private counts: Counts;
  private pending: readonly Operation[] = [];
  private state: SessionState;
  private readonly listeners = new Set<() => void>();

  constructor(private work: Work, private readonly around: SessionAround) {
    this.base = this.shown = historyOf(work.annotations);
    this.counts = { toUndo: work.to_undo, toRedo: work.to_redo };
    this.state = { rows: work.annotations, toUndo: work.to_undo, toRedo: work.to_redo, refused: [] };
    this.outbox = new Outbox({
      assignment: work.assignment, store: around.store, send: around.send,
      onAnswer: (sent, recorded) => this.answered(sent, recorded, true),
      onRefused: (operation, refusal) => this.refuse(operation, refusal),
      ...(around.alone ? { alone: around.alone } : {}), ...(around.pause ? { pause: around.pause } : {}),
    });
    around.channel?.hear((message) => this.heard(message));
  }

  readonly get = (): SessionState => this.state;
  readonly subscribe = (notify: () => void): (() => void) => {
    this.listeners.add(notify);
    return () => void this.listeners.delete(notify);
  };

  /** Take up what waited from before. */
  async open(): Promise<void> {
    const waiting = await this.outbox.open();
    const known = new Set(this.pending.map(({ id }) => id));
    this.pending = [...waiting.filter(({ id }) => !known.has(id)), ...this.pending];
    this.refold();
  }

  /** Do something: it is shown and stored at once. With `later`, the next one of the same annotation takes its place. */
  do(wish: Wish, { later = false } = {}): string {
    const active = this.around.active?.() ?? 0;
    const operation = { ...wish, id: uuid7(), ...(active > 0 ? { active_ms: active } : {}) } as Operation;
    const last = this.pending.at(-1);
    const instead = later && last && isSameShape(last, operation) && this.outbox.isHeldBack(last.id) ? last : undefined;
    if (instead?.active_ms) operation.active_ms = (operation.active_ms ?? 0) + instead.active_ms;
    this.add(operation, instead?.id);
    this.around.channel?.say({ what: "put", operation, instead: instead?.id });
    void this.outbox.put(operation, { later, instead: instead?.id });
    return operation.id;
  }

  undo(): void {
    if (this.state.toUndo > 0) this.do({ do: "undo" });
  }

  redo(): void {
    if (this.state.toRedo > 0) this.do({ do: "redo" });
  }

  /** Hide a refusal. */
  dismiss(): void {
    this.set({ refused: [] });
  }

  get delivery(): Delivery {
    return this.outbox.get();
  }

  end(): void {
    this.outbox.end();
    this.around.channel?.close();
  }

  private add(operation: Operation, instead?: string): void {
    const isLast = instead !== undefined && this.pending.at(-1)?.id === instead;
    this.pending = [...(instead ? this.pending.filter(({ id }) => id !== instead) : this.pending), operation];
    if (isLast || !instead) {
      const before = instead ? this.foldedWithoutLast() : this.shown;
      this.shown = applied(before, operation, this.work.classes);
      this.say();
    } else this.refold();
  }

  private foldedWithoutLast(): History {
    return this.pending.slice(0, -1).reduce((history, one) => applied(history, one, this.work.classes), this.base);
  }

  private async answered(sent: readonly Operation[], recorded: Recorded, isMine: boolean): Promise<void> {
    if (isMine) this.around.channel?.say({ what: "answered", sent, recorded });
    const ids = new Set(sent.map(({ id }) => id));
    const refused = new Set(recorded.refused.map(({ id }) => id.replaceAll("-", "")));
    const taken = sent.filter(({ id }) => !refused.has(id));
    this.base = corrected(taken.reduce((history, one) => applied(history, one, this.work.classes), this.base), recorded.annotations);
    this.counts = { toUndo: recorded.to_undo, toRedo: recorded.to_redo };
    // What was answered before, and the answer was lost: what it did is read again.
    if (recorded.repeated.length) await this.rebase();
    this.pending = this.pending.filter(({ id }) => !ids.has(id));
    this.refold();
  }

  private async rebase(): Promise<void> {
    const work = await this.around.reread().catch(() => null);
    if (!work) return;
    this.work = work;
    this.base = corrected({ ...historyOf([...this.base.rows.values()]) }, work.annotations.map((row) => ({ id: row.id, row })));
    const there = new Set(work.annotations.map(({ id }) => id));
    this.base = corrected(this.base, [...this.base.rows.keys()].filter((id) => !there.has(id)).map((id) => ({ id, row: null })));
    this.counts = { toUndo: work.to_undo, toRedo: work.to_redo };
  }

  private refuse(operation: Operation, refusal: Refusal): void {
    this.pending = this.pending.filter(({ id }) => id !== operation.id);
    this.state = { ...this.state, refused: [...this.state.refused, { operation, refusal }] };
    this.refold();
  }

  private heard(message: Said): void {
    if (message.what === "put" && !this.pending.some(({ id }) => id === message.operation.id)) {
      this.add(message.operation, message.instead);
      void this.outbox.recount();
    }
    if (message.what === "answered") {
      void this.answered(message.sent, message.recorded, false).then(() => this.outbox.recount());
      for (const refusal of message.recorded.refused) {
        const operation = message.sent.find(({ id }) => id === refusal.id.replaceAll("-", ""));
        if (operation) this.refuse(operation, refusal);
      }
    }
  }

  private refold(): void {
    this.shown = this.pending.reduce((history, one) => applied(history, one, this.work.classes), this.base);
    this.say();
  }

  private say(): void {
    const counts = this.pending.reduce(counted, this.counts);
    const rows = this.rows === this.shown.rows ? this.state.rows : [...this.shown.rows.values()];
    this.rows = this.shown.rows;
    this.set({ rows, ...counts });
  }

  private rows: ReadonlyMap<string, Row> | null = null;

  private set(next: Partial<SessionState>): void {
    this.state = { ...this.state, ...next };
    for (const notify of [...this.listeners]) notify();
  }
}

function counted({ toUndo, toRedo }: Counts, operation: Operation): Counts {
  if (operation.do === "undo") return { toUndo: Math.max(0, toUndo - 1), toRedo: toRedo + 1 };
  if (operation.do === "redo") return { toUndo: toUndo + 1, toRedo: Math.max(0, toRedo - 1) };
  return { toUndo: toUndo + 1, toRedo: 0 };
}

const isSameShape = (a: Operation, b: Operation): boolean => a.do === "set-shape" && b.do === "set-shape" && a.annotation === b.annotation;
