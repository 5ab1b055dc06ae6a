import type { Mask } from "@/api/schema.gen";
import type { Wanted } from "@/canvas/mask_worker";
import { extentOf } from "@/canvas/rle";
import { tint, type Tinted } from "@/canvas/tint";

export type Painted = { canvas: HTMLCanvasElement; x: number; y: number };

/** Pixels above which a mask is decoded by the worker. */
const LARGE = 250_000;

const kept = new WeakMap<Mask, { colour: string; painted: Painted | null }>();
/** What a mask looked like before it was edited: shown until a large one is decoded. */
const earlier = new WeakMap<Mask, Mask>();
const listeners = new Set<() => void>();
const waiting = new Map<number, { mask: Mask; colour: string }>();
let worker: Worker | null = null;
let next = 0;

/** Be called when a large mask has been decoded and can be drawn. */
export function onMaskReady(notify: () => void): () => void {
  listeners.add(notify);
  return () => void listeners.delete(notify);
}

/** A mask that was only moved is drawn from the pixels of what it was. */
const unmoved = new WeakMap<Mask, Mask>();

export function isMoved(mask: Mask, before: Mask): void {
  if (mask !== before) unmoved.set(mask, unmoved.get(before) ?? before);
}

/** Show a mask as it was before an edit while the edited one is decoded. */
export function follows(edited: Mask, before: Mask): void {
  if (edited !== before) earlier.set(edited, before);
}

/** A mask as a small image; decoded once for a colour. Null where there is nothing to draw, or not yet (only with `later`). */
export function paintedMask(mask: Mask, colour: string, later: boolean): Painted | null {
  const source = unmoved.get(mask);
  const shown = source ? paintedMask(source, colour, later) : null;
  const place = shown && extentOf(mask);
  if (shown && place) return { canvas: shown.canvas, x: place.x, y: place.y };
  const known = kept.get(mask);
  if (known?.colour === colour) return known.painted;
  const extent = later ? extentOf(mask) : null;
  if (extent && extent.width * extent.height > LARGE && typeof Worker !== "undefined") {
    const before = earlier.get(mask);
    const painted = (before && kept.get(before)?.painted) ?? null;
    kept.set(mask, { colour, painted });
    ask(mask, colour);
    return painted;
  }
  const painted = toCanvas(tint(mask, colour));
  kept.set(mask, { colour, painted });
  return painted;
}

function ask(mask: Mask, colour: string): void {
  worker ??= started();
  next += 1;
  waiting.set(next, { mask, colour });
  worker.postMessage({ id: next, mask, colour } satisfies Wanted);
}

function started(): Worker {
  const fresh = new Worker(new URL("./mask_worker.ts", import.meta.url), { type: "module" });
  fresh.onmessage = ({ data }: MessageEvent<{ id: number; tinted: Tinted | null }>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    // It may have been asked for in another colour since.
    if (!asked || kept.get(asked.mask)?.colour !== asked.colour) return;
    kept.set(asked.mask, { colour: asked.colour, painted: toCanvas(data.tinted) });
    for (const notify of listeners) notify();
  };
  return fresh;
}

function toCanvas(tinted: Tinted | null): Painted | null {
  if (!tinted) return null;
  const canvas = document.createElement("canvas");
  canvas.width = tinted.width;
  canvas.height = tinted.height;
  canvas.getContext("2d")?.putImageData(new ImageData(tinted.rgba, tinted.width, tinted.height), 0, 0);
  return { canvas, x: tinted.x, y: tinted.y };
}
