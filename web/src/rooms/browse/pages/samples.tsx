import { IconLayoutSidebar, IconPhotoOff, IconVectorTriangle, IconVectorTriangleOff, IconX } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { PAGE } from "@/api/cache";
import { part, Problem } from "@/api/client";
import { both, clauses, without } from "@/api/where";
import { skeletonsOf } from "@/canvas/skeletons";
import { Grid } from "@/grid/grid";
import { aspectOf } from "@/grid/layout";
import { NOTHING } from "@/grid/selection";
import { useSelection } from "@/grid/use_selection";
import { Button, CommandLine, IconButton, Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, plural } from "@/kit/format";
import { copyCommand, CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import { stringifySearch } from "@/kit/search";
import { StagedBar, useEditing } from "@/rooms/annotate/panel";
import { checks } from "@/rooms/checks/api";
import * as api from "../api";
import { useBulk } from "../components/bulk";
import { Facets } from "../components/facets";
import { Jump } from "../components/jump";
import { QueryBar } from "../components/query_bar";
import { SavedViews } from "../components/saved_views";
import { SelectionBar } from "../components/selection_bar";
import { GRID_KEYS } from "../keys";
import { hiddenOf, hideText, SIZES, SORTS, type GridSearch, type Sort } from "../search";
import "./samples.css";

/** The label set that the server returns when none is asked for. */
const DEFAULT_SET = "ground_truth";

/** Another list: its places mean other samples. */
const ELSEWHERE = { at: undefined, top: undefined };
const NONE = [] as const;
const NO_SAMPLE = { sample: "", labelSet: DEFAULT_SET };

const SORT_NAMES: Record<Sort, string> = {
  name: "Name", "-name": "Name, descending", newest: "Newest first", "-annotations": "Most annotations", annotations: "Fewest annotations",
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
  const head = useQuery({ ...page(Math.floor((search.at ?? 0) / PAGE)), placeholderData: keepPreviousData });
  const set = (more: Partial<GridSearch>, replace = false) =>
    void navigate({ search: (before) => ({ ...before, ...more }), replace });

  const where = search.where ?? "";
  const hidden = useMemo(() => hiddenOf(search.hide), [search.hide]);
  const skeletons = useMemo(() => skeletonsOf(state.data?.classes ?? []), [state.data]);
  const look = useMemo(() => ({ hidden, skeletons, overlays }), [hidden, skeletons, overlays]);
  const query = (next: string) => set({ where: next.trim() || undefined, ...ELSEWHERE });
  const add = (clause: string) => query(clauses(where).includes(clause) ? without(where, clause) : both(where, clause));
  const size = search.size ?? SIZES.usual;
  const resize = (by: number) => set({ size: Math.min(SIZES.max, Math.max(SIZES.min, size + by)) }, true);
  const refused = head.error instanceof Problem && head.error.status === 422 ? head.error : null;
  const total = head.data?.total ?? 0;
  const all = state.data?.samples;
  const address = `${dataset} ${ref} ${where} ${search.sort ?? ""} ${search.within ?? ""} ${labels ?? ""}`;
  const { selection, select } = useSelection(address, head.data && !head.isPlaceholderData ? total : undefined);
  useCommands(GRID_KEYS, {
    "grid.overlays": () => setOverlays(!overlays),
    "grid.facets": () => setFacets(!facets),
    "grid.larger": () => resize(32),
    "grid.smaller": () => resize(-32),
    "grid.copy": () => void copyCommand({ dataset, ref, where, sort: search.sort, labels, within: search.within }),
    "grid.clear": () => (selection.ranges.length > 0 ? select(NOTHING) : query("")),
  });
  const counted = useQuery({ ...api.facets(dataset, ref, search), enabled: facets && (where !== "" || search.within !== undefined), placeholderData: keepPreviousData });
  const newest = useQuery({ ...checks(dataset, ref), enabled: facets });
  const editable = ref === "";
  const bulk = useBulk(dataset, ref, search);
  const editing = useEditing(dataset, NO_SAMPLE, NONE);
  return (
    <Page
      title="Samples" flush
      meta={
        <>
        <span aria-live="polite">
          {head.data && !refused ? ((where || search.within) && all !== undefined ? `${count(total)} of ${plural(all, "sample")}` : plural(total, "sample")) : ""}
        </span>
        {search.within ? <Button look="quiet" onClick={() => set({ within: undefined, ...ELSEWHERE })}>Part of the map <IconX size={13} aria-label="Clear" /></Button> : null}
        {total > 200 ? <Jump total={total} onJump={(at) => set({ at })} /> : null}
        </>
      }
      actions={
        <>
          <SavedViews dataset={dataset} search={search} onOpen={(opened) => void navigate({ search: opened })} />
          {sets.length > 1 ? (
            <select className="field" aria-label="Label set" value={search.labels ?? DEFAULT_SET} onChange={(event) => set({ labels: event.target.value })}>
              {sets.map((name) => <option key={name}>{name}</option>)}
            </select>
          ) : null}
          <select
            className="field" aria-label="Sort by" value={search.sort ?? "name"}
            onChange={(event) => set({ sort: SORTS.find((sort) => sort === event.target.value && sort !== "name"), ...ELSEWHERE })}
          >
            {SORTS.map((sort) => <option key={sort} value={sort}>{SORT_NAMES[sort]}</option>)}
          </select>
          <input
            className="size-slider" type="range" min={SIZES.min} max={SIZES.max} step={8} value={size} aria-label="Image size"
            onChange={(event) => set({ size: Number(event.target.value) }, true)}
          />
          <IconButton label="Show annotations" aria-pressed={overlays} onClick={() => setOverlays(!overlays)}>
            {overlays ? <IconVectorTriangle size={16} /> : <IconVectorTriangleOff size={16} />}
          </IconButton>
          <IconButton label="Classes and filters" aria-pressed={facets} onClick={() => setFacets(!facets)}><IconLayoutSidebar size={16} /></IconButton>
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
            />
          ) : null}
          <div className="samples-main">
            {head.isPending ? <Loading what="samples" /> : null}
            {head.error && !refused ? <ErrorState error={head.error} onRetry={() => void head.refetch()} /> : null}
            {head.data && total === 0 && !refused ? <Nothing where={where || search.within || ""} dataset={dataset} onClear={() => set({ where: undefined, within: undefined, ...ELSEWHERE })} /> : null}
            {head.data && total > 0 && !refused ? (
              <Grid
                dataset={dataset} address={address} page={page} current={search.at ?? -1} top={search.top} selection={selection}
                size={size} total={total} look={look} aspect={aspectOf(state.data?.sizes?.median)}
                href={(item, at) => `/d/${part(dataset)}/samples/${part(item.id)}${stringifySearch({ ...search, top: undefined, at })}`}
                onCurrent={(at) => set({ at }, true)} onTop={(top) => set({ top }, true)} onSelection={select}
                onOpen={(item, at) => void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: item.id }, search: { ...search, top: undefined, at } })}
              />
            ) : null}
            <SelectionBar
              dataset={dataset} refName={ref} search={search} data={state.data} selection={selection} total={total} bulk={bulk} editable={editable}
              onSelection={select} onWhere={query} onMap={(on) => void navigate({ to: "/d/$dataset/map", params: { dataset }, search: { ref: ref || undefined, where: on || undefined } })}
            />
            {editable ? <StagedBar dataset={dataset} editing={{ ...editing, undo: bulk.undo, redo: bulk.redo }} /> : null}
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

function Nothing({ where, dataset, onClear }: { where: string; dataset: string; onClear: () => void }) {
  if (where) {
    return (
      <EmptyState title="No matching samples" icon={<IconPhotoOff size={26} stroke={1.5} />}>
        <p>The query is valid, but no sample in this state of the dataset matches it.</p>
        <Button onClick={onClear}>Clear the query</Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No samples yet" icon={<IconPhotoOff size={26} stroke={1.5} />}>
      <p>Add images. Unreadable files go to quarantine, each with the reason:</p>
      <CommandLine>{`calotype add ${dataset} ~/images --source cam-07 --licence CC-BY-4.0`}</CommandLine>
    </EmptyState>
  );
}
