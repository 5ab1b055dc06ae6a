/** How well a text answers what was typed: higher is better, null is not at all. Letters in order; starts of words count more. */
export function score(text: string, typed: string): number | null {
  const [hay, needle] = [text.toLowerCase(), typed.toLowerCase().trim()];
  if (!needle) return 0;
  const at = hay.indexOf(needle);
  if (at >= 0) return 1000 - at - hay.length / 100 + (at === 0 || /[\s/._-]/.test(hay[at - 1] ?? "") ? 200 : 0);
  let from = 0;
  let total = 0;
  for (const letter of needle.replace(/\s+/g, "")) {
    const next = hay.indexOf(letter, from);
    if (next < 0) return null;
    total += next === from ? 6 : next === 0 || /[\s/._-]/.test(hay[next - 1] ?? "") ? 4 : 1 - Math.min(next - from, 20) / 20;
    from = next + 1;
  }
  return total;
}

/** The entries that answer, best first; with nothing typed, all as they are. */
export function best<T>(entries: readonly T[], typed: string, textOf: (entry: T) => string): T[] {
  if (!typed.trim()) return [...entries];
  return entries
    .map((entry, at) => ({ entry, at, value: score(textOf(entry), typed) }))
    .filter((one): one is { entry: T; at: number; value: number } => one.value !== null)
    .sort((a, b) => b.value - a.value || a.at - b.at)
    .map((one) => one.entry);
}
