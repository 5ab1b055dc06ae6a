import { refSearch, text, type Raw, type RefSearch } from "@/kit/search";

/** What the address of the map holds. */
export type MapSearch = RefSearch & {
  model?: string | undefined;
  /** What points are coloured by. */
  by?: string | undefined;
  /** Points of samples that do not match are faint. */
  where?: string | undefined;
  /** Corners of the selected part, x,y;x,y;... */
  lasso?: string | undefined;
};

export const mapSearch = (raw: Raw): MapSearch => ({
  ...refSearch(raw), model: text(raw, "model"), by: text(raw, "by"), where: text(raw, "where"), lasso: text(raw, "lasso"),
});
