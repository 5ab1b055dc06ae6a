import type { Mask } from "@/api/schema.gen";
import type { Wanted } from "@/canvas/mask_worker";
import { extentOf } from "@/canvas/rle";
import { tint, type Tinted } from "@/canvas/tint";

export type Painted = { canvas: HTMLCanvasElement; x: number; y: number };

/** Pixels above which a mask is decoded by the worker. */
const LARGE = 250_000;

const kept = new WeakMap<Mask, { colour: string; painted: Painted | null }>();
const listeners = new Set<() => void>();
const waiting = new Map<number, { mask: Mask; colour: string }>();
let worker: Worker | null = null;
let next = 0;

/** Be called when a large mask has been decoded and can be drawn. */
export function onMaskReady(notify: () => void): () => void {
  listeners.add(notify);
  return () => void listeners.delete(notify);
}

/** A mask as a small image; decoded once for a colour. Null where there is nothing to draw, or not yet (only with `later`). */
export function paintedMask(mask: Mask, colour: string, later: boolean): Painted | null {
  const known = kept.get(mask);
  if (known?.colour === colour) return known.painted;
  const extent = later ? extentOf(mask) : null;
  if (extent && extent.width * extent.height > LARGE && typeof Worker !== "undefined") {
    kept.set(mask, { colour, painted: null });
    ask(mask, colour);
    return null;
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
