import type { ChangeCounts } from "@/api/schema.gen";
import { count } from "@/kit/format";

/** +3 -1 ~2, with words for screen readers. */
export function Delta({ counts, of }: { counts: ChangeCounts; of?: string }) {
  const { added, removed, changed } = counts;
  if (added + removed + changed === 0) return <span className="dim">no changes</span>;
  return (
    <span className="change-counts">
      {added ? <span className="plus" aria-label={`${added} added`}>+{count(added)}</span> : null}
      {removed ? <span className="minus" aria-label={`${removed} removed`}>{"\u2212"}{count(removed)}</span> : null}
      {changed ? <span className="changed" aria-label={`${changed} changed`}>~{count(changed)}</span> : null}
      {of ? <span className="dim">{of}</span> : null}
    </span>
  );
}
