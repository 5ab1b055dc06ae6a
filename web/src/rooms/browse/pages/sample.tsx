import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useCanGoBack, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useRef, useState } from "react";
import { mediaUrl, thumbUrl } from "@/api/client";
import type { FullAnnotation, SampleDetail } from "@/api/schema.gen";
import { COLOURINGS } from "@/canvas/colour_by";
import { areaOf, boxOf } from "@/canvas/geometry";
import { Scene } from "@/canvas/scene";
import { skeletonsOf } from "@/canvas/skeletons";
import { Stage, type StageHandle } from "@/canvas/stage";
import { Loading, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { ErrorState } from "@/kit/page";
import { Signal } from "@/kit/signal";
import { StagedBar, useEditing } from "@/rooms/annotate/panel";
import * as findings from "@/rooms/findings/api";
import { ProtectedNote, useBranch } from "@/rooms/versions/panel";
import * as api from "../api";
import { Captions } from "../components/captions";
import { useDrawnSets } from "../components/drawn_sets";
import { ImageKeys } from "../components/image_keys";
import { Inspector } from "../components/inspector";
import { useNeighbours, type Stop } from "../components/neighbours";
import { ImageTools, Steps } from "../components/sample_actions";
import { useSampleEditing } from "../components/sample_editing";
import { isOpen, SampleFindings } from "../components/sample_findings";
import { copyLink, Share } from "../components/share";
import { SAMPLE_KEYS } from "../keys";
import { gridOf, hiddenOf, hideText, setsOf, setsText, type SampleSearch } from "../search";
import "./sample.css";

const NONE: never[] = [];
const EMPTY = new Scene([]);
/** The lists that a sample can be opened from, beside the grid of samples. */
const FROM = { objects: { page: "Objects", what: "objects" }, checks: { page: "Checks", what: "findings" }, diff: { page: "Diff", what: "changed" } };

/** One sample, large: its image, its annotations, and everything known about it. */
export function SamplePage() {
  const { dataset, ref } = useDataset();
  const { sample: id } = useParams({ from: "/d/$dataset/samples/$sample" });
  const search = useSearch({ from: "/d/$dataset/samples/$sample" });
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const query = useQuery({ ...api.sample(dataset, id, ref, search), placeholderData: keepPreviousData });
  const state = useQuery(api.overview(dataset, ref));
  const [overlays, setOverlays] = useState(true);
  const [labels, setLabels] = useState(false);
  const [isImageFocused, setImageFocused] = useState(false);
  const [hover] = useState(() => new Signal<string | null>(null));
  const [scale] = useState(() => new Signal(1));
  const stage = useRef<StageHandle>(null);

  const data = query.data;
  const current = data?.id === id;
  const { branch, editable, isProtected } = useBranch(dataset, ref);
  const labelSet = chosenSet(data, search.labels);
  const editing = useEditing(dataset, { sample: data?.id ?? "", labelSet }, data?.label_sets[labelSet] ?? NONE, branch ?? undefined);
  const annotations = useMemo(() => inOrder(editing.list), [editing.list]);
  const hidden = useMemo(() => hiddenOf(search.hide), [search.hide]);
  const skeletons = useMemo(() => skeletonsOf(state.data?.classes ?? []), [state.data]);
  const tracked = useQuery({ ...findings.ofSample(dataset, id), enabled: editable && current });
  const flagged = useMemo(() => new Set((tracked.data?.items ?? NONE).filter(isOpen).map((one) => one.annotation_id ?? "")), [tracked.data]);
  const drawn = useDrawnSets({ data, labelSet, list: annotations, sets: search.sets, by: search.colour, flagged });
  const scene = useMemo(() => new Scene(drawn.annotations), [drawn.annotations]);
  const authors = useMemo(() => [...new Set(drawn.annotations.map((a) => a.author))].sort(), [drawn.annotations]);
  const place = useNeighbours({ dataset, ref, id, search, position: current ? data.position : null });
  const selected = annotations.find((a) => a.id === search.ann) ?? null;
  const lit = selected?.id ?? null;

  const set = useCallback((more: Partial<SampleSearch>) =>
    void navigate({ to: ".", replace: true, search: (before: SampleSearch) => ({ ...before, ...more }) } as never), [navigate]);
  const select = useCallback((annotation: string | null) => set({ ann: annotation ?? undefined }), [set]);
  /** List and edit a label set; it is drawn from then on. */
  const withSet = (name: string): Partial<SampleSearch> => ({ labels: name, sets: search.sets === undefined ? undefined : setsText(setsOf(search.sets).add(name)) });
  const pick = (annotation: string | null) => {
    const owner = annotation ? drawn.setOf(annotation) : labelSet;
    set({ ann: annotation ?? undefined, ...(owner === labelSet ? {} : withSet(owner)) });
  };
  const go = (stop: Stop | null | undefined) => {
    if (!stop) return;
    hover.set(null);
    void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: stop.sample }, search: stop.search, replace: true });
    const box = stop.sample === id ? placeOf(annotations, stop.search.ann) : null;
    if (box) stage.current?.show(box);
  };
  const back = () => {
    if (work.leave()) return;
    if (lit) return select(null);
    if (search.from && canGoBack) router.history.back();
    else void navigate({ to: "/d/$dataset/samples", params: { dataset }, search: gridOf(search, data?.position?.index) });
  };
  const walk = (by: number) => {
    const shown = annotations.filter((a) => !hidden.has(a.class_id));
    if (shown.length === 0) return;
    const at = shown.findIndex((a) => a.id === lit);
    select(shown[(at + by + shown.length + (at < 0 && by < 0 ? 1 : 0)) % shown.length]?.id ?? null);
  };
  const show = useCallback((annotation: string, inSet: string | null = null) => {
    set({ ann: annotation, ...(inSet && inSet !== labelSet ? { labels: inSet } : {}) });
    const box = placeOf(annotations, annotation);
    if (box) stage.current?.show(box);
  }, [annotations, labelSet, set]);

  const work = useSampleEditing({
    dataset, data, selected, classes: state.data?.classes ?? NONE, editing, editable: editable && current, isImageFocused, onSelect: pick, onShow: show,
    onImage: () => stage.current?.focus(),
  });
  useCommands(SAMPLE_KEYS, {
    "sample.next": () => go(place?.next),
    "sample.previous": () => go(place?.previous),
    "sample.back": back,
    "sample.fit": () => stage.current?.fit(),
    "sample.actual": () => stage.current?.actual(),
    "sample.in": () => stage.current?.zoom(1.4),
    "sample.out": () => stage.current?.zoom(1 / 1.4),
    "sample.down": () => walk(1),
    "sample.up": () => walk(-1),
    "sample.zoom": () => lit && show(lit),
    "sample.overlays": () => setOverlays(!overlays),
    "sample.labels": () => setLabels(!labels),
    "sample.sets": () => set({ sets: drawn.rows.every((row) => row.isDrawn) ? undefined : setsText(drawn.rows.map((row) => row.name)) }),
    "sample.colour": () => set({ colour: COLOURINGS[search.colour ? COLOURINGS.indexOf(search.colour) + 1 : 0] }),
    "sample.link": () => data && void copyLink(dataset, data, search),
  });

  return (
    <Page
      title={data?.name ?? "Sample"} flush
      crumbs={
        <>
          {search.from && canGoBack ? (
            <button type="button" data-command="sample.back" onClick={() => router.history.back()} className="crumb">{FROM[search.from].page}</button>
          ) : (
            <Link to="/d/$dataset/samples" params={{ dataset }} search={gridOf(search, data?.position?.index)} className="crumb">{search.from === "objects" ? "Objects" : "Samples"}</Link>
          )}
          <span className="slash" aria-hidden="true">/</span>
        </>
      }
      meta={
        <>
          {place ? <span>{count(place.index + 1)} of {count(place.total)}{search.from ? ` ${FROM[search.from].what}` : ""}</span> : null}
          {data?.split ? <Pill>{data.split}</Pill> : null}
          {data && !data.commit ? <Pill tone="warn" title="The working state has uncommitted edits: links to it move with it">moving</Pill> : null}
        </>
      }
      actions={
        <>
          <Steps hasPrevious={Boolean(place?.previous)} hasNext={Boolean(place?.next)} />
          {data ? <Share dataset={dataset} data={data} search={search} labelSet={labelSet} /> : null}
        </>
      }
    >
      {query.isPending ? <Loading what="the sample" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {isImageFocused && !work.nudges ? <ImageKeys stage={stage} /> : null}
      {work.keys}
      {data && !query.error ? (
        <div className="sample">
          <div className="sample-image">
            <Stage
              handle={stage} src={mediaUrl(dataset, data.media)} early={thumbUrl(dataset, data.media, 256)} name={data.name} width={data.width} height={data.height}
              scene={overlays ? scene : EMPTY} hidden={hidden} skeletons={skeletons} labels={labels} hover={hover} selected={lit} scale={scale}
              colourOf={drawn.colourOf} dashOf={drawn.dashOf}
              onPick={work.onPick} onFocus={setImageFocused} edit={work.edit} first={placeOf(annotations, search.ann)}
            />
            <ImageTools canDraw={work.edit !== undefined} tool={work.tool} scale={scale} labels={labels} overlays={overlays} />
            {overlays ? <Captions list={annotations} hidden={hidden} hover={hover} selected={lit} /> : null}
            {editable ? <StagedBar dataset={dataset} editing={editing} /> : isProtected && branch ? <ProtectedNote branch={branch} /> : null}
          </div>
          <Inspector
            data={data} list={annotations} dataset={dataset} refName={ref} search={search} labelSet={labelSet} hidden={hidden} hover={hover}
            selected={selected} flagged={flagged} onShow={show}
            onHide={(next) => set({ hide: hideText(next) })} onLabels={(next) => set({ ...withSet(next), ann: undefined })}
            sets={drawn.rows} onSets={(names) => set({ sets: setsText(names) })} colourOf={drawn.colourOf} authors={authors} onColour={(colour) => set({ colour })}
            findings={<SampleFindings dataset={dataset} sample={data.id} listed={data.findings} editable={editable} selected={lit} onShow={show} onClass={work.onClass} />}
            editor={work.editor}
          />
        </div>
      ) : null}
    </Page>
  );
}

/** Classes together, large ones first. */
function inOrder(list: readonly FullAnnotation[]): FullAnnotation[] {
  return [...list].sort((a, b) => a.class_id - b.class_id || areaOf(b) - areaOf(a));
}

function placeOf(list: readonly FullAnnotation[], id: string | undefined) {
  const a = id ? list.find((one) => one.id === id) : undefined;
  return a ? boxOf(a) : null;
}

function chosenSet(data: SampleDetail | undefined, wanted: string | undefined): string {
  const names = Object.keys(data?.label_sets ?? {});
  if (wanted && names.includes(wanted)) return wanted;
  return names.includes("ground_truth") ? "ground_truth" : (names[0] ?? "ground_truth");
}
