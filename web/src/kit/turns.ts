/** Runs what is asked for one after the other, in the order asked: keys pressed quickly are all obeyed. */
export class Turns {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** Whether something else was asked for meanwhile. */
  get areMoreWaiting(): boolean {
    return this.waiting > 0;
  }

  /** Do the work after all that was asked for before. */
  take(work: () => Promise<void>): Promise<void> {
    this.waiting += 1;
    const next = () => {
      this.waiting -= 1;
      return work();
    };
    this.last = this.last.then(next, next);
    return this.last;
  }
}
