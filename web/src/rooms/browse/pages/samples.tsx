import { IconLayoutSidebar, IconVectorTriangle, IconVectorTriangleOff, IconX } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { PAGE } from "@/api/cache";
import { part, Problem } from "@/api/client";
import type { GridSample } from "@/api/schema.gen";
import { both, clauses, without } from "@/api/where";
import { colouring } from "@/canvas/colour_by";
import { skeletonsOf } from "@/canvas/skeletons";
import { Cell } from "@/grid/cell";
import { Grid } from "@/grid/grid";
import type { Pair } from "@/grid/pair_cell";
import { aspectOf } from "@/grid/layout";
import { NOTHING } from "@/grid/selection";
import { useSelection } from "@/grid/use_selection";
import { Button, IconButton, Loading, Segmented } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, plural } from "@/kit/format";
import { copyCommand, CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { ErrorState } from "@/kit/page";
import { stringifySearch } from "@/kit/search";
import { StagedBar, useEditing } from "@/rooms/annotate/panel";
import { checks } from "@/rooms/checks/api";
import { ProtectedNote, useBranch } from "@/rooms/versions/panel";
import * as api from "../api";
import { Beside } from "../components/beside";
import { useBulk } from "../components/bulk";
import { Colours, useAuthors } from "../components/colours";
import { Facets } from "../components/facets";
import { Jump } from "../components/jump";
import { Nothing, NoObjects } from "../components/nothing";
import { ObjectGrid } from "../components/object_grid";
import { PairGrid } from "../components/pair_grid";
import { QueryBar } from "../components/query_bar";
import { SavedViews } from "../components/saved_views";
import { SelectionBar } from "../components/selection_bar";
import { GRID_KEYS } from "../keys";
import { hiddenOf, hideText, OBJECT_SORTS, sampleSort, SIZES, SORTS, type GridSearch, type ObjectSort } from "../search";
import "./samples.css";

/** The label set that the server returns when none is asked for. */
const DEFAULT_SET = "ground_truth";

/** Another list: its places mean other samples. */
const ELSEWHERE = { at: undefined, top: undefined };
const NONE = [] as const;
const NO_SAMPLE = { sample: "", labelSet: DEFAULT_SET };

const SHOWN = [{ value: "samples", label: "Samples" }, { value: "objects", label: "Objects", name: "Objects: annotations, each cut out of its image" }] as const;
const SORT_NAMES: Record<ObjectSort, string> = {
  name: "Name", "-name": "Name, descending", newest: "Newest first", "-annotations": "Most annotations", annotations: "Fewest annotations",
  "-size": "Largest", size: "Smallest", "-score": "Highest score", score: "Lowest score",
};

/** The grid: every sample that matches, drawn with its annotations. */
export function SamplesPage() {
  const { dataset, ref } = useDataset();
  const asked = useSearch({ from: "/d/$dataset/samples" });
  const navigate = useNavigate({ from: "/d/$dataset/samples" });
  const [overlays, setOverlays] = useState(true);
  const [facets, setFacets] = useState(true);
  const state = useQuery(api.overview(dataset, ref));
  const sets = state.data?.label_sets.map((one) => one.name) ?? [];
  const labels = setOf(asked.labels, sets);
  const search = useMemo(() => ({ ...asked, labels }), [asked, labels]);
  const page = (n: number) => api.samplePage(dataset, ref, search, n);
  const isObjects = search.show === "objects";
  const sorts = isObjects ? OBJECT_SORTS : SORTS;
  const first = Math.floor((search.at ?? 0) / PAGE);
  const samples = useQuery({ ...page(first), placeholderData: keepPreviousData, enabled: !isObjects });
  const objects = useQuery({ ...api.objectPage(dataset, ref, search, first), placeholderData: keepPreviousData, enabled: isObjects });
  const head = isObjects ? objects : samples;
  const set = (more: Partial<GridSearch>, replace = false) =>
    void navigate({ search: (before) => ({ ...before, ...more }), replace });

  const where = search.where ?? "";
  const hidden = useMemo(() => hiddenOf(search.hide), [search.hide]);
  const skeletons = useMemo(() => skeletonsOf(state.data?.classes ?? []), [state.data]);
  const labelSet = labels ?? DEFAULT_SET;
  const colourOf = useMemo(() => colouring(search.colour, labelSet), [search.colour, labelSet]);
  const look = useMemo(() => ({ hidden, skeletons, overlays, colourOf }), [hidden, skeletons, overlays, colourOf]);
  const { authors, see } = useAuthors();
  const seeSamples = useCallback((items: Iterable<GridSample>) => {
    for (const item of items) see(item.annotations);
  }, [see]);
  const seePairs = useCallback((items: Iterable<Pair>) => {
    for (const item of items) see([...item.annotations, ...(item.beside?.annotations ?? [])]);
  }, [see]);
  const isPaired = !isObjects && (search.beside !== undefined || search.against !== undefined);
  const query = (next: string) => set({ where: next.trim() || undefined, ...ELSEWHERE });
  const add = (clause: string) => query(clauses(where).includes(clause) ? without(where, clause) : both(where, clause));
  const size = search.size ?? (isObjects ? SIZES.objects : isPaired ? SIZES.pairs : SIZES.usual);
  const resize = (by: number) => set({ size: Math.min(SIZES.max, Math.max(SIZES.min, size + by)) }, true);
  const refused = head.error instanceof Problem && head.error.status === 422 ? head.error : null;
  const total = head.data?.total ?? 0;
  const all = state.data?.samples;
  const address = `${dataset} ${ref} ${where} ${search.sort ?? ""} ${search.within ?? ""} ${labels ?? ""}${isObjects ? ` objects ${search.of ?? ""}` : ""}`;
  const show = (what: "samples" | "objects") => set({ show: what === "objects" ? what : undefined, ...ELSEWHERE });
  const onOf = (of: string | undefined) => set({ of, ...ELSEWHERE });
  const { selection, select } = useSelection(address, head.data && !head.isPlaceholderData ? total : undefined, head.data && total);
  useCommands(GRID_KEYS, {
    "grid.objects": () => show(isObjects ? "samples" : "objects"),
    "grid.overlays": () => setOverlays(!overlays),
    "grid.facets": () => setFacets(!facets),
    "grid.larger": () => resize(32),
    "grid.smaller": () => resize(-32),
    "grid.copy": () => void copyCommand({ dataset, ref, where, sort: search.sort, labels, within: search.within }),
    "grid.clear": () => (selection.ranges.length > 0 ? select(NOTHING) : query("")),
  });
  const counted = useQuery({ ...api.facets(dataset, ref, search), enabled: facets && (where !== "" || search.within !== undefined), placeholderData: keepPreviousData });
  const newest = useQuery({ ...checks(dataset, ref), enabled: facets });
  const { branch, editable, isProtected } = useBranch(dataset, ref);
  const bulk = useBulk(dataset, ref, search);
  const editing = useEditing(dataset, NO_SAMPLE, NONE, branch ?? undefined);
  return (
    <Page
      title="Samples" flush
      meta={
        <>
        <span aria-live="polite">
          {!head.data || refused ? "" : isObjects ? plural(total, "object") : (where || search.within) && all !== undefined ? `${count(total)} of ${plural(all, "sample")}` : plural(total, "sample")}
        </span>
        {search.within ? <Button look="quiet" onClick={() => set({ within: undefined, ...ELSEWHERE })}>Part of the map <IconX size={13} aria-label="Clear" /></Button> : null}
        {isObjects && search.of && !facets ? <Button look="quiet" onClick={() => onOf(undefined)}>Only {search.of} <IconX size={13} aria-label="Clear" /></Button> : null}
        {total > 200 ? <Jump total={total} onJump={(at) => set({ at })} /> : null}
        </>
      }
      actions={
        <>
          <SavedViews dataset={dataset} search={search} onOpen={(opened) => void navigate({ search: opened })} />
          <Segmented label="Show" value={isObjects ? "objects" : "samples"} options={SHOWN} onChange={show} />
          {sets.length > 1 ? (
            <select className="field" aria-label="Label set" value={search.labels ?? DEFAULT_SET} onChange={(event) => set({ labels: event.target.value })}>
              {sets.map((name) => <option key={name}>{name}</option>)}
            </select>
          ) : null}
          <select
            className="field" aria-label="Sort by" value={(isObjects ? search.sort : sampleSort(search.sort)) ?? "name"}
            onChange={(event) => set({ sort: sorts.find((sort) => sort === event.target.value && sort !== "name"), ...ELSEWHERE })}
          >
            {sorts.map((sort) => <option key={sort} value={sort}>{SORT_NAMES[sort]}</option>)}
          </select>
          <input
            className="size-slider" type="range" min={SIZES.min} max={SIZES.max} step={8} value={size} aria-label="Image size"
            onChange={(event) => set({ size: Number(event.target.value) }, true)}
          />
          <IconButton label="Show annotations" aria-pressed={overlays} command="grid.overlays">
            {overlays ? <IconVectorTriangle size={16} /> : <IconVectorTriangleOff size={16} />}
          </IconButton>
          <IconButton label="Classes and filters" aria-pressed={facets} command="grid.facets"><IconLayoutSidebar size={16} /></IconButton>
          <CopyAs panel="grid" shown={{ dataset, ref, where, sort: search.sort, labels, within: search.within }} />
        </>
      }
    >
      <div className="samples">
        <QueryBar where={where} onWhere={query} onAdd={add} error={refused} data={state.data} />
        <div className="samples-body">
          {facets && state.data ? (
            <Facets
              data={state.data} counts={where || search.within ? (refused || counted.error ? undefined : counted.data) : state.data} checks={newest.data} where={where} hidden={hidden} onHide={(next) => set({ hide: hideText(next) }, true)} onAdd={add}
              plain={search.colour !== undefined} colours={
                <>
                  <Colours by={search.colour} labelSets={isPaired && search.beside ? [labelSet, search.beside] : [labelSet]} authors={authors} onBy={(colour) => set({ colour }, true)} />
                  {isObjects ? null : <Beside dataset={dataset} refName={ref} labelSet={labelSet} sets={sets} value={search} onChange={(value) => set(value)} />}
                </>
              }
              objects={isObjects ? { of: search.of, onOf } : undefined}
            />
          ) : null}
          <div className="samples-main">
            <div className="samples-list">
            {head.isPending ? <Loading what={isObjects ? "objects" : "samples"} /> : null}
            {head.error && !refused ? <ErrorState error={head.error} onRetry={() => void head.refetch()} /> : null}
            {head.data && total === 0 && !refused && isObjects ? <NoObjects of={search.of} where={where || search.within || ""} onClear={() => set({ of: undefined, where: undefined, within: undefined, ...ELSEWHERE })} /> : null}
            {head.data && total === 0 && !refused && !isObjects ? <Nothing where={where || search.within || ""} dataset={dataset} onClear={() => set({ where: undefined, within: undefined, ...ELSEWHERE })} /> : null}
            {head.data && total > 0 && !refused && isObjects ? (
              <ObjectGrid
                dataset={dataset} refName={ref} search={search} address={address} labelSet={labelSet} size={size} total={total} overlays={overlays} colourOf={colourOf} onItems={see}
                selection={selection} onSelection={select} onPlace={(place) => set(place, true)}
              />
            ) : null}
            {head.data && total > 0 && !refused && isPaired ? (
              <PairGrid
                dataset={dataset} refName={ref} search={search} address={address} labelSet={labelSet} size={size} total={total} look={look}
                aspect={aspectOf(state.data?.sizes?.median)} selection={selection} onSelection={select} onItems={seePairs} onPlace={(place) => set(place, true)}
              />
            ) : null}
            {head.data && total > 0 && !refused && !isObjects && !isPaired ? (
              <Grid
                label="Samples" address={address} page={page} current={search.at ?? -1} top={search.top} selection={selection}
                size={size} total={total} aspect={aspectOf(state.data?.sizes?.median)} nameOf={(item) => item.name}
                draw={(item, { index, ...tile }) => (
                  <Cell
                    dataset={dataset} item={item} {...tile} look={look}
                    href={`/d/${part(dataset)}/samples/${part(item.id)}${stringifySearch({ ...search, top: undefined, at: index })}`}
                  />
                )}
                onCurrent={(at) => set({ at }, true)} onTop={(top) => set({ top }, true)} onSelection={select} onItems={seeSamples}
                onOpen={(item, at) => void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: item.id }, search: { ...search, top: undefined, at } })}
              />
            ) : null}
            </div>
            <SelectionBar
              dataset={dataset} refName={ref} search={search} data={state.data} selection={selection} total={total} bulk={bulk} editable={editable}
              onSelection={select} onWhere={query} onMap={(on) => void navigate({ to: "/d/$dataset/map", params: { dataset }, search: { ref: ref || undefined, where: on || undefined } })}
            />
            {editable ? <StagedBar dataset={dataset} editing={{ ...editing, undo: bulk.undo, redo: bulk.redo }} /> : isProtected && branch ? <ProtectedNote branch={branch} /> : null}
          </div>
        </div>
      </div>
    </Page>
  );
}

/** The label set to draw: the requested one if this state has it, else the default, else the first. */
function setOf(asked: string | undefined, sets: string[]): string | undefined {
  if (sets.length === 0 || (asked && sets.includes(asked))) return asked;
  return sets.includes(DEFAULT_SET) ? undefined : sets[0];
}
