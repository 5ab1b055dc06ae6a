/** Numbers, sizes, times as text. One locale, so that the same number reads the same on page, command line and Python. */
const whole = new Intl.NumberFormat("en-US");
const compactly = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const count = (n: number): string => whole.format(n);
export const compact = (n: number): string => (Math.abs(n) < 10_000 ? whole.format(n) : compactly.format(n));

/** "1 sample", "2 samples". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** A measured number: whole ones as they are, others to four digits. */
export function measured(n: number): string {
  if (Number.isInteger(n)) return count(n);
  const digits = Math.abs(n) >= 1000 ? 0 : Math.abs(n) >= 100 ? 1 : Math.abs(n) >= 1 ? 2 : 4;
  return String(Number(n.toFixed(digits)));
}

export function percent(part: number, of: number): string {
  if (of === 0) return "0 %";
  const value = (100 * part) / of;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} %`;
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = n;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function duration(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago, in one word or two. */
export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (Number.isNaN(seconds)) return at;
  if (seconds < 45) return "just now";
  if (seconds < 90) return "1 min ago";
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 14 * 86_400) return plural(Math.round(seconds / 86_400), "day") + " ago";
  return at.slice(0, 10);
}

/** A moment in full, UTC. */
export const moment = (at: string): string => at.replace("T", " ").replace(/\.\d+/, "").replace("Z", " UTC");

export const short = (id: string): string => id.slice(0, 8);

/** Any plain value as text. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "\u2013";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : measured(value);
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/**
 * A message as a sentence. Messages of the server begin small, as they follow "error:" in a terminal; a name that one
 * begins with ("streets has no branch") stays as it is.
 */
export function sentence(text: string): string {
  const [first = "", second = ""] = text.split(" ", 2);
  const isName = /[^a-z,:;']/.test(first) || /^\d/.test(second) || (/^(?:has|is|was|does|cannot)$/.test(second) && !/^(?:it|this|that|there|what|which)$/.test(first));
  return isName ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
