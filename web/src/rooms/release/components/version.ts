/** The version after the newest, one step of the middle number; 1.0.0 to begin with. */
export function nextVersion(versions: readonly string[]): string {
  const newest = versions[0];
  if (newest === undefined) return "1.0.0";
  const numbers = /^(\d+)\.(\d+)\.(\d+)$/.exec(newest);
  return numbers ? `${numbers[1]}.${Number(numbers[2]) + 1}.0` : "";
}

/** Shares as typed ("train=.8, val=.1") as numbers; null where they cannot be parsed or their total exceeds 1. */
export function shares(text: string): Record<string, number> | null {
  const parsed: Record<string, number> = {};
  for (const part of text.split(",")) {
    const [name = "", value = ""] = part.split("=").map((one) => one.trim());
    const number = Number(value);
    if (!name || !value || !(number > 0) || name in parsed) return null;
    parsed[name] = number;
  }
  const total = Object.values(parsed).reduce((sum, one) => sum + one, 0);
  return total > 0 && total < 1.000001 ? parsed : null;
}
