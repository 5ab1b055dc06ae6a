/** Longer than this without a move is a break, in milliseconds. */
const BREAK_MS = 30_000;

/** How long someone works on an image: the times between what they do, without breaks. */
export class ActiveTime {
  private last: number | null = null;
  private since = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  touch(): void {
    const now = this.now();
    const gap = this.last === null ? 0 : now - this.last;
    this.last = now;
    if (gap > BREAK_MS) return;
    this.since += gap;
  }

  /** Milliseconds since this was asked for last. */
  take(): number {
    this.touch();
    const taken = Math.round(this.since);
    this.since = 0;
    return taken;
  }
}
