import { useSyncExternalStore } from "react";

/** A value that changes often: those who subscribe follow it, and nothing else is rendered again. */
export class Signal<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  readonly get = (): T => this.value;

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const notify of [...this.listeners]) notify();
  }

  readonly subscribe = (notify: () => void): (() => void) => {
    this.listeners.add(notify);
    return () => void this.listeners.delete(notify);
  };
}

/** What a signal says, or what is of interest of it. */
export function useSignal<T, S = T>(signal: Signal<T>, of: (value: T) => S = (value) => value as unknown as S): S {
  return useSyncExternalStore(signal.subscribe, () => of(signal.get()));
}
