/** Chosen places of a list of up to millions: index ranges, so that nothing has to be loaded to choose it. */
export type Range = readonly [from: number, to: number];

export type Selection = {
  /** Ascending, apart from each other; `to` is not part of a range. */
  ranges: readonly Range[];
  /** Where a range began; -1 where none did. */
  anchor: number;
  /** Where the range from the anchor ends. */
  lead: number;
  /** Ids of chosen places that were on the screen: the list must still have them there when it is resolved. */
  seen: ReadonlyMap<number, string>;
};

export const NOTHING: Selection = { ranges: [], anchor: -1, lead: -1, seen: new Map() };

export const size = ({ ranges }: Selection): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);

/** Whether an index is chosen, by halving. */
export function has({ ranges }: Selection, index: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = ranges[middle] ?? [0, 0];
    if (index < from) high = middle - 1;
    else if (index >= to) low = middle + 1;
    else return true;
  }
  return false;
}

function joined(ranges: readonly Range[], more: Range): Range[] {
  let [from, to] = more;
  const apart: Range[] = [];
  for (const range of ranges) {
    if (range[1] < from || range[0] > to) apart.push(range);
    else [from, to] = [Math.min(from, range[0]), Math.max(to, range[1])];
  }
  return [...apart, [from, to] as const].sort((a, b) => a[0] - b[0]);
}

const cut = (ranges: readonly Range[], [from, to]: Range): Range[] =>
  ranges.flatMap(([low, high]) => ([[low, Math.min(high, from)], [Math.max(low, to), high]] as Range[]).filter(([a, b]) => a < b));

const noted = (seen: Selection["seen"], index: number, id: string | undefined): Selection["seen"] =>
  id === undefined ? seen : new Map(seen).set(index, id);

/** One more, or one fewer. */
export function toggle(before: Selection, index: number, id?: string): Selection {
  const one: Range = [index, index + 1];
  if (!has(before, index)) return { ranges: joined(before.ranges, one), anchor: index, lead: index, seen: noted(before.seen, index, id) };
  const seen = new Map(before.seen);
  seen.delete(index);
  return { ranges: cut(before.ranges, one), anchor: index, lead: index, seen };
}

/** From the anchor to an index; the range that was drawn from the same anchor before is replaced. `start` stands in for an anchor. */
export function extend(before: Selection, index: number, start: number, id?: string): Selection {
  const anchor = before.anchor >= 0 ? before.anchor : Math.max(0, start);
  const kept = before.anchor >= 0 && has(before, before.lead) ? cut(before.ranges, span(anchor, before.lead)) : before.ranges;
  const ranges = joined(kept, span(anchor, index));
  const seen = new Map([...noted(before.seen, index, id)].filter(([at]) => has({ ...NOTHING, ranges }, at)));
  return { ranges, anchor, lead: index, seen };
}

const span = (a: number, b: number): Range => [Math.min(a, b), Math.max(a, b) + 1];

export const everything = (total: number): Selection => ({ ...NOTHING, ranges: total > 0 ? [[0, total]] : [] });

/** The single chosen index; -1 where there are more or none. */
export const single = (selection: Selection): number => (size(selection) === 1 ? (selection.ranges[0]?.[0] ?? -1) : -1);
