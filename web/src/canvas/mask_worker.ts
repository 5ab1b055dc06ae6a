import type { Mask } from "@/api/schema.gen";
import { tint } from "@/canvas/tint";

/** Decodes large masks beside the page, so that it stays responsive. */
export type Wanted = { id: number; mask: Mask; colour: string };

onmessage = ({ data }: MessageEvent<Wanted>) => {
  const tinted = tint(data.mask, data.colour);
  postMessage({ id: data.id, tinted }, { transfer: tinted ? [tinted.rgba.buffer] : [] });
};
