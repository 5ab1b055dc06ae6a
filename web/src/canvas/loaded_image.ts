import { useEffect, useState } from "react";

type Loaded = { src: string; image: HTMLImageElement | null; failed: boolean };

/** Images that come next, loaded and decoded: the newest few. */
const ahead = new Map<string, HTMLImageElement>();
const MOST_AHEAD = 4;

/** Load and decode an image that will be shown soon. */
export function preload(src: string): void {
  if (ahead.has(src)) return;
  const image = new Image();
  image.decoding = "async";
  image.src = src;
  ahead.set(src, image);
  image.decode().catch(() => ahead.delete(src));
  for (const oldest of [...ahead.keys()].slice(0, Math.max(0, ahead.size - MOST_AHEAD))) ahead.delete(oldest);
}

const readyNow = (src: string): HTMLImageElement | null => {
  const image = ahead.get(src);
  return image?.complete && image.naturalWidth > 0 ? image : null;
};

/** The image once it has loaded, the small one until then. */
export function useLoadedImage(src: string, early: string): { image: HTMLImageElement | null; failed: boolean } {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    const ready = readyNow(src);
    if (ready) return setLoaded({ src, image: ready, failed: false });
    let over = false;
    let isFull = false;
    const load = (url: string, full: boolean) => {
      const image = new Image();
      image.decoding = "async";
      image.onload = () => {
        if (over || (isFull && !full)) return;
        isFull ||= full;
        setLoaded({ src, image, failed: false });
      };
      image.onerror = () => {
        if (!over && full) setLoaded((before) => ({ src, image: before?.src === src ? before.image : null, failed: true }));
      };
      image.src = url;
    };
    load(early, false);
    load(src, true);
    return () => {
      over = true;
    };
  }, [src, early]);
  const ready = loaded?.src === src ? null : readyNow(src);
  if (ready) return { image: ready, failed: false };
  return loaded?.src === src ? { image: loaded.image, failed: loaded.failed } : { image: null, failed: false };
}
