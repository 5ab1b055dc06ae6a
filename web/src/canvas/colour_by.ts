import type { Annotation } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";

/** What annotations can be coloured by, beside their class. */
export const COLOURINGS = ["author", "score", "finding", "set"] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** An annotation with what else it can be coloured by. */
export type Coloured = Annotation & { flagged?: boolean };
export type ColourOf = (a: Coloured) => string;

/** Of what has no value. */
export const NEUTRAL = "#b4bcc4";
const [FLAGGED, UNFLAGGED] = ["#ff3b5c", "#8d98a3"];
/** From a score of 0 to one of 1: lighter and yellower, seen on photographs, distinguished without red and green. */
export const SCALE = ["#7a3cff", "#c2409f", "#ee6a6a", "#fba94b", "#f7f13b"] as const;

/** A colour of a name: the same wherever it is seen. */
export function nameColour(name: string): string {
  let sum = 0;
  for (const letter of name) sum = (Math.imul(sum, 31) + (letter.codePointAt(0) ?? 0)) >>> 0;
  return name ? classColour(sum) : NEUTRAL;
}

export function scoreColour(score: number | null): string {
  if (score === null) return NEUTRAL;
  const place = Math.min(1, Math.max(0, score)) * (SCALE.length - 1);
  const at = Math.min(SCALE.length - 2, Math.floor(place));
  const [low, high] = [SCALE[at] ?? NEUTRAL, SCALE[at + 1] ?? NEUTRAL];
  const mixed = [1, 3, 5].map((digit) => {
    const [a, b] = [low, high].map((colour) => Number.parseInt(colour.slice(digit, digit + 2), 16)) as [number, number];
    return Math.round(a + (b - a) * (place - at)).toString(16).padStart(2, "0");
  });
  return `#${mixed.join("")}`;
}

export const findingColour = (isFlagged: boolean): string => (isFlagged ? FLAGGED : UNFLAGGED);

/** How annotations of a label set are coloured; by their class where nothing else is asked for. */
export function colouring(by: Colouring | undefined, labelSet: string): ColourOf {
  if (by === "author") return (a) => nameColour(a.author);
  if (by === "score") return (a) => scoreColour(a.score);
  if (by === "finding") return (a) => findingColour(a.flagged ?? false);
  if (by === "set") return () => nameColour(labelSet);
  return (a) => classColour(a.class_id);
}

/** What the colours mean: those of a scale from its ends. */
export function legendOf(by: Colouring, labelSets: readonly string[], authors: readonly string[]): { name: string; colour: string }[] {
  if (by === "author") return authors.map((name) => ({ name: name || "unknown", colour: nameColour(name) }));
  if (by === "score") return [{ name: "no score", colour: NEUTRAL }];
  if (by === "finding") return [{ name: "with an open finding", colour: FLAGGED }, { name: "without", colour: UNFLAGGED }];
  return labelSets.map((name) => ({ name, colour: nameColour(name) }));
}
