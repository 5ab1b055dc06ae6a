import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { PAGE } from "@/api/cache";
import { thumbUrl } from "@/api/client";
import type { ChangedSample, ChangeGroup } from "@/api/schema.gen";
import { Pill, Skeleton } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { VirtualRows } from "@/kit/virtual";
import * as api from "../api";
import { CHANGES, type DiffSearch } from "../search";
import { Classes, TONES } from "./change_words";

type Filtering = { search: DiffSearch; onChange: (more: Partial<DiffSearch>) => void };

/** What differs, by kind and class; a group filters the list. */
export function Groups({ groups, search, onChange }: Filtering & { groups: ChangeGroup[] }) {
  const isChosen = (group: ChangeGroup) =>
    search.change === group.change && search.before === (group.class_before ?? undefined) && search.after === (group.class_after ?? undefined);
  const isFiltered = search.change || search.before || search.after;
  const choose = (group: ChangeGroup | null) => () =>
    onChange({
      change: group?.change, before: group?.class_before ?? undefined, after: group?.class_after ?? undefined, sample: undefined,
    });
  return (
    <ul className="diff-groups" aria-label="Kinds of change">
      <li><button type="button" className="diff-group" aria-pressed={!isFiltered} onClick={choose(null)}><span>All changes</span></button></li>
      {CHANGES.flatMap((change) => groups.filter((group) => group.change === change)).map((group) => (
        <li key={`${group.change} ${group.class_before} ${group.class_after}`}>
          <button
            type="button" className="diff-group" aria-pressed={isChosen(group)} onClick={choose(isChosen(group) ? null : group)}
            title={`${plural(group.annotations, "annotation")} in ${plural(group.samples, "sample")}`}
          >
            <Pill tone={TONES[group.change]}>{group.change}</Pill>
            <Classes change={group} />
            <span className="tabular dim">{count(group.annotations)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Every sample that differs, as many as there are. */
export function DiffList({ dataset, search, total, selected, onChange }: Filtering & { dataset: string; total: number; selected: string }) {
  const { a, b = "" } = search;
  const [range, setRange] = useState<[number, number]>([0, 0]);
  const [first, last] = [Math.floor(range[0] / PAGE), Math.floor(range[1] / PAGE)];
  const pages = useQueries({ queries: Array.from({ length: Math.min(6, last - first + 1) }, (_, n) => api.diff(dataset, a, b, search, first + n)) });
  const items = new Map<number, ChangedSample>();
  for (const { data } of pages) data?.items.forEach((item, n) => items.set(data.offset + n, item));
  return (
    <VirtualRows
      key={`${a} ${b} ${search.change} ${search.before} ${search.after}`} total={total} height={52} label="Changed samples" onRange={(low, high) => setRange([low, high])}
      row={(index) => {
        const item = items.get(index);
        if (!item) return <div className="diff-row"><Skeleton height={36} width={54} /></div>;
        return (
          <button type="button" className="diff-row" aria-current={item.sample_id === selected} onClick={() => onChange({ sample: item.sample_id })}>
            <img src={thumbUrl(dataset, item.media, 128)} alt="" loading="lazy" className="thumb" width={54} height={36} />
            <span className="diff-row-text">
              <span className="cut">{item.name}</span>
              <span className="diff-row-what">
                {item.change === "annotations" ? null : <Pill tone={TONES[item.change]}>{item.change}</Pill>}
                <Kinds kinds={item.kinds} />
              </span>
            </span>
          </button>
        );
      }}
    />
  );
}

function Kinds({ kinds }: { kinds: ChangedSample["kinds"] }) {
  const some = CHANGES.filter((change) => kinds[change] > 0);
  return <span className="dim cut">{some.map((change) => `${count(kinds[change])} ${change}`).join(", ")}</span>;
}
