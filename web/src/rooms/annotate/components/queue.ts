import { Problem } from "@/api/client";
import type { Edited } from "@/api/schema.gen";
import { merged, type Change } from "./changes";

/** A change on its way: waiting, being sent, or answered and not yet read again. */
export type Entry = {
  id: string;
  change: Change;
  place: Place;
  state: "waiting" | "sent" | "done";
  /** Once it is answered: its id in the list of edits; null where nothing changed. */
  edit?: string | null;
  after?: (() => Promise<unknown>) | undefined;
};

/** Where a change belongs. */
export type Place = { sample: string; labelSet: string };

export type Server = {
  send: (entry: Entry, seen: string | undefined) => Promise<Edited>;
  /** Read everything again that the edits may have changed. */
  reread: () => Promise<void>;
};

export type Failure = { change: Change; problem: Problem; entry: Entry };
/** Copies of the sample that have the label too, and did not follow the edit. */
export type Offer = { entry: Entry; edit: string; copies: number };

export type State = { entries: readonly Entry[]; failure: Failure | null; offer: Offer | null };

/** How many edits are not yet in a list of edits that was read: one that is answered counts on until the list has it. */
export const unlisted = (entries: readonly Entry[], listed: ReadonlySet<string>): number =>
  entries.filter(({ state, edit }) => state !== "done" || (typeof edit === "string" && !listed.has(edit))).length;

/** A shape waits this long for the next nudge, so that many nudges are one edit. */
const NUDGE_MS = 450;

/**
 * Sends changes one after the other, in order. They are shown at once, by applying them to what the server answered; one that
 * is refused is taken back, with those that came after it on the same annotation.
 */
export class EditQueue {
  private state: State = { entries: [], failure: null, offer: null };
  private readonly listeners = new Set<() => void>();
  private readonly tokens = new Map<string, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | null = null;

  constructor(private readonly server: Server) {}

  readonly get = (): State => this.state;
  readonly subscribe = (notify: () => void): (() => void) => {
    this.listeners.add(notify);
    return () => void this.listeners.delete(notify);
  };

  /** Show a change and send it; `later` waits for the next one of the same kind. */
  stage(change: Change, place: Place, { later = false, after }: { later?: boolean; after?: () => Promise<unknown> } = {}): void {
    const last = this.state.entries.at(-1);
    const joined = last?.state === "waiting" && this.timer !== undefined ? merged(last.change, change) : null;
    const entry: Entry = { id: crypto.randomUUID(), change: joined ?? change, place, state: "waiting", after };
    this.set({ entries: [...(joined ? this.state.entries.slice(0, -1) : this.state.entries), entry], failure: null, offer: null });
    clearTimeout(this.timer);
    this.timer = undefined;
    if (later) this.timer = setTimeout(() => void this.settled(), NUDGE_MS);
    else void this.run();
  }

  /** Wait until everything is sent and read again. */
  async settled(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.run();
  }

  /** Send again what could not be sent; what arrived before is not done twice. */
  retry(): void {
    const failure = this.state.failure;
    if (!failure) return;
    this.set({ ...this.state, failure: null, entries: [{ ...failure.entry, state: "waiting" }, ...this.state.entries] });
    void this.run();
  }

  dismiss(): void {
    this.set({ ...this.state, failure: null, offer: null });
  }

  /** Say something else that was refused in the place where refused edits are said. */
  fail(problem: Problem): void {
    const entry = this.state.entries[0];
    const change: Change = { title: "", annotation: "", edit: { do: "delete", annotation: "" }, apply: (list) => list };
    this.set({ ...this.state, failure: { change, problem, entry: entry ?? { id: "", change, place: { sample: "", labelSet: "" }, state: "done" } } });
  }

  private run(): Promise<void> {
    this.running ??= this.work().finally(() => (this.running = null));
    return this.running;
  }

  private async work(): Promise<void> {
    do await this.sendAll();
    while (this.next());
  }

  private async sendAll(): Promise<void> {
    for (let entry = this.next(); entry; entry = this.next()) {
      this.mark(entry.id, { state: "sent" });
      try {
        const edited = await this.server.send(entry, this.tokens.get(entry.change.annotation));
        for (const row of edited.rows) if (row.annotation && row.seen) this.tokens.set(row.annotation, row.seen);
        await entry.after?.();
        this.mark(entry.id, { state: "done", edit: edited.edit });
        const copies = edited.copies - edited.carried;
        if (copies > 0 && edited.edit) this.set({ ...this.state, offer: { entry, edit: edited.edit, copies } });
      } catch (error) {
        this.refuse(entry, error instanceof Problem ? error : new Problem(0, "page-failed", String(error), "", "reload the page"));
      }
    }
    const done = new Set(this.state.entries.filter((entry) => entry.state === "done").map((entry) => entry.id));
    await this.server.reread();
    this.tokens.clear();
    this.set({ ...this.state, entries: this.state.entries.filter((entry) => !done.has(entry.id)) });
  }

  private next(): Entry | undefined {
    const last = this.timer === undefined ? undefined : this.state.entries.at(-1);
    return this.state.entries.find((entry) => entry.state === "waiting" && entry !== last);
  }

  private mark(id: string, now: Pick<Entry, "state" | "edit">): void {
    this.set({ ...this.state, entries: this.state.entries.map((entry) => (entry.id === id ? { ...entry, ...now } : entry)) });
  }

  private refuse(refused: Entry, problem: Problem): void {
    const at = this.state.entries.findIndex((entry) => entry.id === refused.id);
    const entries = this.state.entries.filter((entry, n) => n < at || entry.change.annotation !== refused.change.annotation);
    this.set({ entries, failure: { change: refused.change, problem, entry: refused }, offer: null });
  }

  private set(next: State): void {
    this.state = next;
    for (const notify of [...this.listeners]) notify();
  }
}
