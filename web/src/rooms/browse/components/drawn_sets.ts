import { useMemo } from "react";
import type { Annotation, FullAnnotation, SampleDetail } from "@/api/schema.gen";
import { colouring, findingColour, nameColour, type ColourOf, type Colouring } from "@/canvas/colour_by";
import { setsOf } from "../search";

/** A label set of a sample: how many annotations it has, and which pattern of lines. */
export type SetRow = { name: string; total: number; isDrawn: boolean; dash: number };

type Asked = {
  data: SampleDetail | undefined;
  /** The label set that is listed and edited, and its annotations with the edits on their way. */
  labelSet: string;
  list: readonly FullAnnotation[];
  sets: string | undefined;
  by: Colouring | undefined;
  flagged: ReadonlySet<string>;
};

const NONE: never[] = [];

/** Everything that is drawn of a sample: the annotations of one label set or of several, their colours and patterns. */
export function useDrawnSets({ data, labelSet, list, sets, by, flagged }: Asked) {
  const rows = useMemo(() => rowsOf(data, labelSet, sets), [data, labelSet, sets]);
  const others = useMemo(() => rows.filter((row) => row.isDrawn && row.name !== labelSet).map((row) => row.name), [rows, labelSet]);
  const isListDrawn = rows.find((row) => row.name === labelSet)?.isDrawn ?? true;
  /** The sets of annotations that are not of the listed one; those of drafts are always of the listed one. */
  const owners = useMemo(() => {
    const owned = new Map<Annotation, string>();
    for (const name of others) for (const a of data?.label_sets[name] ?? NONE) owned.set(a, name);
    return owned;
  }, [others, data]);
  const annotations = useMemo(() => [...owners.keys(), ...(isListDrawn ? list : NONE)], [owners, isListDrawn, list]);
  const colourOf = useMemo((): ColourOf | undefined => {
    if (!by) return undefined;
    if (by === "set") return (a) => nameColour(owners.get(a) ?? labelSet);
    return by === "finding" ? (a) => findingColour(flagged.has(a.id)) : colouring(by, labelSet);
  }, [by, owners, labelSet, flagged]);
  const dashOf = useMemo(() => {
    if (others.length + Number(isListDrawn) < 2) return undefined;
    const dashes = new Map(rows.map((row) => [row.name, row.dash]));
    return (a: Annotation) => dashes.get(owners.get(a) ?? labelSet) ?? 0;
  }, [rows, others, isListDrawn, owners, labelSet]);
  const setOf = (id: string): string => {
    for (const [a, name] of owners) if (a.id === id) return name;
    return labelSet;
  };
  return { rows, annotations, colourOf, dashOf, setOf };
}

/** The label sets of a sample, the ground truth first: it has the solid line. */
function rowsOf(data: SampleDetail | undefined, labelSet: string, sets: string | undefined): SetRow[] {
  const drawn = sets === undefined ? new Set([labelSet]) : setsOf(sets);
  const names = Object.keys(data?.label_sets ?? {}).sort((a, b) => Number(b === "ground_truth") - Number(a === "ground_truth") || a.localeCompare(b));
  return names.map((name, dash) => ({ name, dash, total: data?.label_sets[name]?.length ?? 0, isDrawn: drawn.has(name) }));
}
