import type { GateResult } from "@/api/schema.gen";
import { both, ofClass } from "@/api/where";

/** How much of a demand is there. `gate` says whether it is enough. */
export type Cell = { have: number; need: number; gate: GateResult };
/** Conditions of the contract by row; the first column, named "", counts samples, the others annotations of a class. */
export type Coverage = { classes: string[]; rows: { title: string; cells: ReadonlyMap<string, Cell> }[] };

export const EVERYWHERE = "all samples";

/** The demands of a contract as a table, from the gates that judge them: each has what was measured and the threshold. */
export function coverageOf(gates: readonly GateResult[]): Coverage {
  const rows = new Map<string, Map<string, Cell>>();
  const classes = new Set<string>();
  for (const gate of gates) {
    const place = placeOf(gate);
    if (!place) continue;
    const [title, name] = place;
    if (name) classes.add(name);
    const cells = rows.get(title) ?? new Map<string, Cell>();
    rows.set(title, cells.set(name, { have: gate.measured, need: gate.threshold, gate }));
  }
  const everywhere = rows.get(EVERYWHERE);
  if (everywhere) {
    rows.delete(EVERYWHERE);
    return table([...everywhere.keys()].filter(Boolean), classes, rows.size ? [[EVERYWHERE, everywhere], ...rows] : []);
  }
  return table([], classes, [...rows]);
}

/** Classes in the order of the contract, and those of conditions alone after them. */
function table(declared: string[], classes: ReadonlySet<string>, rows: [string, ReadonlyMap<string, Cell>][]): Coverage {
  const others = [...classes].filter((name) => !declared.includes(name));
  return { classes: [...declared, ...others], rows: rows.map(([title, cells]) => ({ title, cells })) };
}

/** The condition and the class that a gate is about: "coverage night: car", "coverage night", "class car", "samples". */
function placeOf({ name, check, unit }: GateResult): [string, string] | null {
  if (check === "coverage" && name.startsWith("coverage ")) {
    const text = name.slice("coverage ".length);
    const at = unit === "annotations" ? text.lastIndexOf(": ") : -1;
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 2)];
  }
  if (name.startsWith("class ") && unit === "annotations") return [EVERYWHERE, name.slice("class ".length)];
  return name === "samples" ? [EVERYWHERE, ""] : null;
}

/** A share of the demand as one of five steps, for the shade of a cell. */
export const stepOf = ({ have, need }: Cell): number => (have >= need ? (have >= 2 * need ? 4 : 3) : have >= need / 2 ? 2 : have > 0 ? 1 : 0);

/** Samples that show what is there for a cell, or what comes close to it. */
export type Group = { title: string; where: string };

/** What to look at for a cell: both demands at once, then each by itself. `where` is the query of the condition. */
export function groupsOf(title: string, name: string, where: string | undefined): Group[] {
  const ofCondition = title === EVERYWHERE ? "" : where;
  if (!name) return ofCondition === undefined ? [] : [{ title: `Samples of ${title}`, where: ofCondition }];
  const alone = { title: `Samples with ${name}`, where: ofClass(name) };
  if (!ofCondition) return [alone];
  return [
    { title: `${title} with ${name}`, where: both(ofCondition, ofClass(name)) },
    { title: `${title}, any class`, where: ofCondition },
    { title: `${name} under any condition`, where: ofClass(name) },
  ];
}
