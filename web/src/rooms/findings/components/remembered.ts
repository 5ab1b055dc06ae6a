/** Words that were typed before, newest first: reasons of rejections, names of people. Kept in this browser. */
const MOST = 9;

export function remembered(what: string): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(`findings.${what}`) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function remember(what: string, text: string): void {
  try {
    localStorage.setItem(`findings.${what}`, JSON.stringify([text, ...remembered(what).filter((one) => one !== text)].slice(0, MOST)));
  } catch {
    // a browser that keeps nothing asks again
  }
}
