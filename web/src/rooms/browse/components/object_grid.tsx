import { useNavigate } from "@tanstack/react-router";
import { part } from "@/api/client";
import type { Coloured, ColourOf } from "@/canvas/colour_by";
import { Grid } from "@/grid/grid";
import { ObjectTile } from "@/grid/object_tile";
import type { Selection } from "@/grid/selection";
import { stringifySearch } from "@/kit/search";
import * as api from "../api";
import type { GridSearch, SampleSearch } from "../search";

type Props = {
  dataset: string;
  refName: string;
  search: GridSearch;
  address: string;
  labelSet: string;
  size: number;
  total: number;
  overlays: boolean;
  colourOf: ColourOf;
  onItems: (items: Iterable<Coloured>) => void;
  selection: Selection;
  onSelection: (next: Selection) => void;
  onPlace: (place: { at?: number; top?: number | undefined }) => void;
};

/** The sample page of an object, which leads through these objects. */
export const toObject = (search: GridSearch, at: number, ann: string): SampleSearch => ({ ...search, show: undefined, top: undefined, from: "objects", at, ann });

/** Each object for itself, cut out of its image: those of the samples that match. */
export function ObjectGrid({ dataset, refName, search, address, labelSet, size, total, overlays, colourOf, selection, onItems, onSelection, onPlace }: Props) {
  const navigate = useNavigate();
  return (
    <Grid
      label="Objects" address={address} page={(n) => api.objectPage(dataset, refName, search, n)} current={search.at ?? -1} top={search.top}
      selection={selection} size={size} total={total} aspect={1} nameOf={(item) => `${item.class} in ${item.sample.name}`}
      draw={(item, tile) => (
        <ObjectTile
          dataset={dataset} item={item} labelSet={labelSet} tile={tile} overlays={overlays} colourOf={colourOf}
          href={`/d/${part(dataset)}/samples/${part(item.sample.id)}${stringifySearch(toObject(search, tile.index, item.id))}`}
        />
      )}
      onCurrent={(at) => onPlace({ at })} onTop={(top) => onPlace({ top })} onSelection={onSelection} onItems={onItems}
      onOpen={(item, at) => void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: item.sample.id }, search: toObject(search, at, item.id) })}
    />
  );
}
