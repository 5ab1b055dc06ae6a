/** Times of the frames of a page while something goes on, in milliseconds. */
export type FrameTimes = { frames: number; median: number; p95: number; longest: number; perSecond: number };

let times: number[] = [];
let running = 0;

function start(): void {
  times = [];
  cancelAnimationFrame(running);
  let before = 0;
  const tick = (now: number) => {
    if (before) times.push(now - before);
    before = now;
    running = requestAnimationFrame(tick);
  };
  running = requestAnimationFrame(tick);
}

function stop(): FrameTimes {
  cancelAnimationFrame(running);
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  const total = sorted.reduce((sum, one) => sum + one, 0);
  return { frames: sorted.length, median: at(0.5), p95: at(0.95), longest: sorted.at(-1) ?? 0, perSecond: total ? (1000 * sorted.length) / total : 0 };
}

declare global {
  interface Window {
    __frames?: { start: () => void; stop: () => FrameTimes };
  }
}

/** Let the console and the journeys measure frames: `__frames.start()`, then `__frames.stop()`. */
export function offerFrameTimes(): void {
  window.__frames = { start, stop };
}
