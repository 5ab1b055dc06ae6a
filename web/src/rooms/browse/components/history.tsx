import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Blame } from "@/api/schema.gen";
import { Skeleton, When } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { Words } from "@/kit/words";
import * as api from "../api";
import { Fold } from "./section";

type Origin = Blame["created"];
type Props = { dataset: string; refName: string; sample: string; selected: { id: string; name: string } | null; total: number };

/** Who drew an annotation and who last changed it; without a selected one, who did so on the whole sample. */
export function SampleHistory({ dataset, refName, sample, selected, total }: Props) {
  const [open, setOpen] = useState(true);
  // All rows of a sample are looked up one by one: for crowded samples only the selected one is.
  const isCrowded = total > 500;
  const which = selected?.id ?? (isCrowded ? "" : sample);
  const query = useQuery({ ...api.blame(dataset, which, refName), enabled: open && which !== "", staleTime: 30_000 });
  return (
    <Fold title="History" meta={selected ? `of the ${selected.name}` : ""} open={open} onToggle={setOpen}>
      {which === "" ? <p className="dim">Select one of the {count(total)} annotations to see who drew it.</p> : null}
      {query.isLoading ? <Skeleton height={36} /> : null}
      {query.error ? <p className="dim"><Words>{query.error.message}</Words></p> : null}
      {query.data && selected ? query.data.items.filter((one) => one.id === selected.id).map((one) => <Lines key={one.id} blame={one} />) : null}
      {query.data && !selected ? <Whole items={query.data.items} sample={sample} /> : null}
    </Fold>
  );
}

function Lines({ blame }: { blame: Blame }) {
  const isChanged = blame.changed.commit !== blame.created.commit || blame.changed.at !== blame.created.at;
  return (
    <ul className="history-lines">
      {isChanged ? <Line verb="changed" origin={blame.changed} /> : null}
      <Line verb="drawn" origin={blame.created} />
    </ul>
  );
}

function Line({ verb, origin, n }: { verb: string; origin: Origin; n?: number }) {
  return (
    <li>
      <span className="history-verb">{verb}</span>
      <span className="cut">{n === undefined ? "" : `${plural(n, "annotation")} `}by {origin.author ?? origin.by ?? "unknown"}</span>
      <span className="dim history-when">{origin.commit ? <When at={origin.at} /> : "uncommitted"}</span>
      {origin.commit ? (
        <span className="history-commit cut dim" title={origin.message ?? ""}>
          <Link to="/d/$dataset/history" params={(before: { dataset?: string }) => ({ dataset: before.dataset ?? "" })} className="mono link-plain">{origin.commit.slice(0, 8)}</Link> {origin.message}
        </span>
      ) : null}
    </li>
  );
}

/** All annotations of a sample by who drew them in which commit, and the same of those changed since. */
function Whole({ items, sample }: { items: readonly Blame[]; sample: string }) {
  const drawn = items.filter((one) => one.id !== sample);
  const changed = drawn.filter((one) => one.changed.commit !== one.created.commit);
  const own = items.find((one) => one.id === sample);
  return (
    <ul className="history-lines">
      {grouped(changed.map((one) => one.changed)).map(([origin, n]) => <Line key={`c ${keyOf(origin)}`} verb="changed" origin={origin} n={n} />)}
      {grouped(drawn.map((one) => one.created)).map(([origin, n]) => <Line key={`d ${keyOf(origin)}`} verb="drawn" origin={origin} n={n} />)}
      {own ? <Line verb="added" origin={own.created} /> : null}
    </ul>
  );
}

const keyOf = (origin: Origin): string => `${origin.commit ?? ""} ${origin.author ?? origin.by ?? ""}`;

function grouped(origins: readonly Origin[]): [Origin, number][] {
  const groups = new Map<string, [Origin, number]>();
  for (const origin of origins) {
    const key = keyOf(origin);
    groups.set(key, [origin, (groups.get(key)?.[1] ?? 0) + 1]);
  }
  return [...groups.values()].sort(([p], [q]) => (q.at > p.at ? 1 : -1));
}
