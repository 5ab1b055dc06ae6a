/** How a room's `search.ts` reads its part of the address. Values are plain text, never JSON. */
export type Raw = Record<string, unknown>;

export const text = (raw: Raw, key: string): string | undefined => {
  const value = raw[key];
  return value === undefined || value === null || value === "" ? undefined : String(value);
};

/** One of a few words; others are dropped. */
export const oneOf = <const T extends string>(raw: Raw, key: string, words: readonly T[]): T | undefined =>
  words.find((word) => word === raw[key]);

/** A whole number, moved into [low, high]. */
export const whole = (raw: Raw, key: string, low: number, high: number): number | undefined => {
  const value = Number(text(raw, key) ?? Number.NaN);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, Math.round(value))) : undefined;
};

/** The branch, tag or commit that a dataset's pages show; absent for the working state. */
export type RefSearch = { ref?: string | undefined };
export const refSearch = (raw: Raw): RefSearch => ({ ref: text(raw, "ref") });

export const parseSearch = (query: string): Raw => Object.fromEntries(new URLSearchParams(query));

export const stringifySearch = (search: Raw): string => {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== "") params.set(key, String(value));
  }
  const query = params.toString();
  return query ? `?${query}` : "";
};
