import { useEffect, useState } from "react";

type Loaded = { src: string; image: HTMLImageElement | null; failed: boolean };

/** The image once it has loaded, the small one until then. */
export function useLoadedImage(src: string, early: string): { image: HTMLImageElement | null; failed: boolean } {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
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
  return loaded?.src === src ? { image: loaded.image, failed: loaded.failed } : { image: null, failed: false };
}
