import { IconArrowLeft, IconArrowRight, IconTag, IconTagOff, IconVectorTriangle, IconVectorTriangleOff, IconZoomReset } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useCanGoBack, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { mediaUrl, thumbUrl } from "@/api/client";
import * as queries from "@/api/queries";
import type { FullAnnotation, SampleDetail } from "@/api/types";
import { useCommands } from "@/app/commands";
import { useDataset } from "@/app/here";
import { Page } from "@/app/page";
import { hiddenOf, hideText, type SampleSearch } from "@/app/search";
import { areaOf, boxOf } from "@/canvas/geometry";
import { skeletonsOf } from "@/canvas/skeletons";
import { Stage, type StageHandle } from "@/canvas/stage";
import { IconButton, Loading, Pill } from "@/kit/basics";
import { count } from "@/kit/format";
import { ErrorState } from "@/kit/page";
import { Inspector } from "@/rooms/samples/inspector";
import "./sample.css";

const NONE: never[] = [];

/** One sample, large: its picture, everything drawn on it, everything known of it. */
export function SamplePage() {
  const { dataset, ref } = useDataset();
  const { sample: id } = useParams({ from: "/d/$dataset/samples/$sample" });
  const search = useSearch({ from: "/d/$dataset/samples/$sample" });
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const client = useQueryClient();
  const found = useQuery({ ...queries.sample(dataset, id, ref, search), placeholderData: keepPreviousData });
  const state = useQuery(queries.overview(dataset, ref));
  const [overlays, setOverlays] = useState(true);
  const [labels, setLabels] = useState(false);
  const [lit, setLit] = useState<string | null>(null);
  const [scale, setScale] = useState(1);
  const stage = useRef<StageHandle>(null);

  const data = found.data;
  const current = data?.id === id;
  const labelSet = chosenSet(data, search.labels);
  const annotations = useMemo(() => inOrder(data?.label_sets[labelSet] ?? NONE), [data, labelSet]);
  const hidden = useMemo(() => hiddenOf(search.hide), [search.hide]);
  const skeletons = useMemo(() => skeletonsOf(state.data?.classes ?? []), [state.data]);
  const position = current ? (data.position ?? null) : null;
  const asked = search.ann ? annotations.find((a) => a.id === search.ann) : undefined;

  const go = (to: string | null | undefined, by: number) => {
    if (!to) return;
    setLit(null);
    const at = position ? position.index + by : undefined;
    void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: to }, search: { ...search, at, ann: undefined }, replace: true });
  };
  const back = () => {
    if (search.from && canGoBack) router.history.back();
    else void navigate({ to: "/d/$dataset/samples", params: { dataset }, search: grid(search, position?.index) });
  };
  const walk = (by: number) => {
    const shown = annotations.filter((a) => !hidden.has(a.class_id));
    if (shown.length === 0) return;
    const at = shown.findIndex((a) => a.id === lit);
    setLit(shown[(at + by + shown.length + (at < 0 && by < 0 ? 1 : 0)) % shown.length]?.id ?? null);
  };
  const show = (annotation: string) => {
    const box = boxOf(annotations.find((a) => a.id === annotation) ?? NONE_DRAWN);
    setLit(annotation);
    if (box) stage.current?.show(box);
  };
  useEffect(() => {
    for (const next of [position?.next, position?.previous]) {
      if (!next) continue;
      void client.prefetchQuery(queries.sample(dataset, next, ref, search)).then(() => {
        const kept = client.getQueryData(queries.sample(dataset, next, ref, search).queryKey);
        if (kept) new Image().src = mediaUrl(kept.media);
      });
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [position?.next, position?.previous]);
  useEffect(() => setLit(search.ann ?? null), [search.ann, id]);

  useCommands([
    { id: "sample.next", title: "Next sample", group: "Sample", keys: ["j", "ArrowRight"], run: () => go(position?.next, 1) },
    { id: "sample.previous", title: "Previous sample", group: "Sample", keys: ["k", "ArrowLeft"], run: () => go(position?.previous, -1) },
    { id: "sample.back", title: search.from ? "Back to where it was opened" : "Back to the grid", group: "Sample", keys: ["Escape"], run: back },
    { id: "sample.fit", title: "Show the whole image", group: "Sample", keys: ["0"], run: () => stage.current?.fit() },
    { id: "sample.actual", title: "Show at 100 %", group: "Sample", keys: ["1"], run: () => stage.current?.actual() },
    { id: "sample.in", title: "Zoom in", group: "Sample", keys: ["+", "="], run: () => stage.current?.zoom(1.4) },
    { id: "sample.out", title: "Zoom out", group: "Sample", keys: ["-"], run: () => stage.current?.zoom(1 / 1.4) },
    { id: "sample.down", title: "Next annotation", group: "Sample", keys: ["ArrowDown"], run: () => walk(1) },
    { id: "sample.up", title: "Previous annotation", group: "Sample", keys: ["ArrowUp"], run: () => walk(-1) },
    { id: "sample.zoom", title: "Zoom to the annotation in hand", group: "Sample", keys: ["Enter", "z"], run: () => lit && show(lit) },
    { id: "sample.overlays", title: overlays ? "Hide annotations" : "Draw annotations", group: "Sample", keys: ["a"], run: () => setOverlays(!overlays) },
    { id: "sample.labels", title: labels ? "Hide names of classes" : "Write names of classes", group: "Sample", keys: ["l"], run: () => setLabels(!labels) },
  ]);

  return (
    <Page
      title={data?.name ?? "Sample"} flush
      crumbs={
        <>
          {search.from && canGoBack ? (
            <button type="button" onClick={back} className="crumb">{search.from === "checks" ? "Checks" : "Difference"}</button>
          ) : (
            <Link to="/d/$dataset/samples" params={{ dataset }} search={grid(search, position?.index)} className="crumb">Samples</Link>
          )}
          <span className="slash" aria-hidden="true">/</span>
        </>
      }
      meta={
        <>
          {position ? <span>{count(position.index + 1)} of {count(position.total)}</span> : null}
          {data?.split ? <Pill>{data.split}</Pill> : null}
        </>
      }
      actions={
        <>
          <button type="button" className="zoom" onClick={() => stage.current?.actual()} title="Show at 100 %">{Math.round(scale * 100)} %</button>
          <IconButton label="Show the whole image" onClick={() => stage.current?.fit()}><IconZoomReset size={16} /></IconButton>
          <IconButton label="Names of classes" aria-pressed={labels} onClick={() => setLabels(!labels)}>{labels ? <IconTag size={16} /> : <IconTagOff size={16} />}</IconButton>
          <IconButton label="Draw annotations" aria-pressed={overlays} onClick={() => setOverlays(!overlays)}>
            {overlays ? <IconVectorTriangle size={16} /> : <IconVectorTriangleOff size={16} />}
          </IconButton>
          <IconButton label="Previous sample" disabled={!position?.previous} onClick={() => go(position?.previous, -1)}><IconArrowLeft size={16} /></IconButton>
          <IconButton label="Next sample" disabled={!position?.next} onClick={() => go(position?.next, 1)}><IconArrowRight size={16} /></IconButton>
        </>
      }
    >
      {found.isPending ? <Loading what="the sample" /> : null}
      {found.error ? <ErrorState error={found.error} onRetry={() => void found.refetch()} /> : null}
      {data && !found.error ? (
        <div className="sample">
          <Stage
            handle={stage} src={mediaUrl(data.media)} early={thumbUrl(data.media, 256)} name={data.name} width={data.width} height={data.height}
            annotations={overlays ? annotations : NONE} hidden={hidden} skeletons={skeletons} lit={lit} labels={labels}
            onHover={setLit} onPick={setLit} onScale={setScale} first={asked ? boxOf(asked) : null}
          />
          <Inspector
            data={data} list={annotations} dataset={dataset} search={search} labelSet={labelSet} hidden={hidden} lit={lit} onLit={setLit} onShow={show}
            onHide={(next) => void navigate({ to: ".", replace: true, search: (before: SampleSearch) => ({ ...before, hide: hideText(next) }) } as never)}
            onLabels={(next) => void navigate({ to: ".", replace: true, search: (before: SampleSearch) => ({ ...before, labels: next }) } as never)}
          />
        </div>
      ) : null}
    </Page>
  );
}

const NONE_DRAWN = { id: "", kind: "", class: "", class_id: 0, bbox: null, rings: [], keypoints: [], mask: null, score: null, iscrowd: false };

/** Classes together, large ones first. */
function inOrder(list: readonly FullAnnotation[]): FullAnnotation[] {
  return [...list].sort((a, b) => a.class_id - b.class_id || areaOf(b) - areaOf(a));
}

function chosenSet(data: SampleDetail | undefined, wanted: string | undefined): string {
  const names = Object.keys(data?.label_sets ?? {});
  if (wanted && names.includes(wanted)) return wanted;
  return names.includes("ground_truth") ? "ground_truth" : (names[0] ?? "ground_truth");
}

/** The search of the grid that this sample was opened from. */
function grid({ ann: _ann, from: _from, ...search }: SampleSearch, at: number | undefined) {
  return { ...search, at: at ?? search.at };
}
