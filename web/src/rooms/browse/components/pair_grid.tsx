import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { PAGE } from "@/api/cache";
import { part } from "@/api/client";
import { colouring } from "@/canvas/colour_by";
import type { Look } from "@/grid/cell";
import { Grid } from "@/grid/grid";
import { PairCell, type Pair } from "@/grid/pair_cell";
import type { Selection } from "@/grid/selection";
import { branchOf } from "@/kit/branch";
import { short } from "@/kit/format";
import { ErrorState } from "@/kit/page";
import { stringifySearch } from "@/kit/search";
import * as api from "../api";
import type { GridSearch } from "../search";

type Props = {
  dataset: string;
  refName: string;
  search: GridSearch;
  address: string;
  labelSet: string;
  size: number;
  aspect: number;
  total: number;
  look: Look;
  selection: Selection;
  onSelection: (next: Selection) => void;
  onItems: (items: Iterable<Pair>) => void;
  onPlace: (place: { at?: number; top?: number | undefined }) => void;
};

const isCommit = (name: string) => /^[0-9a-f]{12,64}$/.test(name);
const stateName = (ref: string) => (ref === "" ? "working state" : branchOf(ref) ? `working state of ${branchOf(ref)}` : isCommit(ref) ? short(ref) : ref);

/** The samples that match, each twice: as they are listed, and with the annotations of another label set or state. */
export function PairGrid({ dataset, refName, search, address, labelSet, size, aspect, total, look, selection, onSelection, onItems, onPlace }: Props) {
  const navigate = useNavigate();
  const set = search.beside ?? labelSet;
  const ref = search.against ?? refName;
  const left = useMemo(() => ({ name: search.beside ? labelSet : stateName(refName), look }), [search.beside, labelSet, refName, look]);
  const right = useMemo(
    () => ({ name: search.beside ?? stateName(ref), look: { ...look, colourOf: colouring(search.colour, set) } }),
    [search.beside, search.colour, ref, set, look],
  );
  const page = (n: number) => api.pairPage(dataset, refName, search, { labels: set, ref }, n);
  const head = useQuery(page(Math.floor((search.at ?? 0) / PAGE)));
  if (head.error) return <ErrorState error={head.error} onRetry={() => void head.refetch()} />;
  return (
    <Grid
      label="Samples" address={address} page={page} current={search.at ?? -1}
      top={search.top} selection={selection} size={size} total={total} aspect={2 * aspect} nameOf={(item) => item.name}
      draw={(item, { index, ...tile }) => (
        <PairCell
          dataset={dataset} item={item} {...tile} left={left} right={right}
          href={`/d/${part(dataset)}/samples/${part(item.id)}${stringifySearch({ ...search, top: undefined, at: index })}`}
        />
      )}
      onCurrent={(at) => onPlace({ at })} onTop={(top) => onPlace({ top })} onSelection={onSelection} onItems={onItems}
      onOpen={(item, at) => void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: item.id }, search: { ...search, top: undefined, at } })}
    />
  );
}
