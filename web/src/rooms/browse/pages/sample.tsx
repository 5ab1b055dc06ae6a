import { IconArrowLeft, IconArrowRight, IconTag, IconTagOff, IconVectorTriangle, IconVectorTriangleOff, IconZoomReset } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useCanGoBack, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { mediaUrl, thumbUrl } from "@/api/client";
import type { FullAnnotation, SampleDetail } from "@/api/schema.gen";
import { areaOf, boxOf } from "@/canvas/geometry";
import { skeletonsOf } from "@/canvas/skeletons";
import { Stage, type StageHandle } from "@/canvas/stage";
import { IconButton, Loading, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { ErrorState } from "@/kit/page";
import * as api from "../api";
import { Captions } from "../components/captions";
import { Inspector } from "../components/inspector";
import { SAMPLE_KEYS } from "../keys";
import { hiddenOf, hideText, type SampleSearch } from "../search";
import "./sample.css";

const NONE: never[] = [];

/** One sample, large: its image, its annotations, its metadata. */
export function SamplePage() {
  const { dataset, ref } = useDataset();
  const { sample: id } = useParams({ from: "/d/$dataset/samples/$sample" });
  const search = useSearch({ from: "/d/$dataset/samples/$sample" });
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const client = useQueryClient();
  const query = useQuery({ ...api.sample(dataset, id, ref, search), placeholderData: keepPreviousData });
  const state = useQuery(api.overview(dataset, ref));
  const [overlays, setOverlays] = useState(true);
  const [labels, setLabels] = useState(false);
  const [lit, setLit] = useState<string | null>(null);
  const [scale, setScale] = useState(1);
  const stage = useRef<StageHandle>(null);

  const data = query.data;
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
    const drawn = annotations.find((a) => a.id === annotation);
    const box = drawn ? boxOf(drawn) : null;
    setLit(annotation);
    if (box) stage.current?.show(box);
  };
  useEffect(() => {
    for (const next of [position?.next, position?.previous]) {
      if (!next) continue;
      void client.prefetchQuery(api.sample(dataset, next, ref, search)).then(() => {
        const kept = client.getQueryData(api.sample(dataset, next, ref, search).queryKey);
        if (kept) new Image().src = mediaUrl(dataset, kept.media);
      });
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [position?.next, position?.previous]);
  useEffect(() => setLit(search.ann ?? null), [search.ann, id]);

  useCommands(SAMPLE_KEYS, {
    "sample.next": () => go(position?.next, 1),
    "sample.previous": () => go(position?.previous, -1),
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
  });

  return (
    <Page
      title={data?.name ?? "Sample"} flush
      crumbs={
        <>
          {search.from && canGoBack ? (
            <button type="button" onClick={back} className="crumb">{search.from === "checks" ? "Checks" : "Diff"}</button>
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
          <button type="button" className="zoom" onClick={() => stage.current?.actual()} title="Zoom to 100 %">{Math.round(scale * 100)} %</button>
          <IconButton label="Fit to window" onClick={() => stage.current?.fit()}><IconZoomReset size={16} /></IconButton>
          <IconButton label="Class names" aria-pressed={labels} onClick={() => setLabels(!labels)}>{labels ? <IconTag size={16} /> : <IconTagOff size={16} />}</IconButton>
          <IconButton label="Show annotations" aria-pressed={overlays} onClick={() => setOverlays(!overlays)}>
            {overlays ? <IconVectorTriangle size={16} /> : <IconVectorTriangleOff size={16} />}
          </IconButton>
          <IconButton label="Previous sample" disabled={!position?.previous} onClick={() => go(position?.previous, -1)}><IconArrowLeft size={16} /></IconButton>
          <IconButton label="Next sample" disabled={!position?.next} onClick={() => go(position?.next, 1)}><IconArrowRight size={16} /></IconButton>
        </>
      }
    >
      {query.isPending ? <Loading what="the sample" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {data && !query.error ? (
        <div className="sample">
          <div className="sample-image">
            <Stage
              handle={stage} src={mediaUrl(dataset, data.media)} early={thumbUrl(dataset, data.media, 256)} name={data.name} width={data.width} height={data.height}
              annotations={overlays ? annotations : NONE} hidden={hidden} skeletons={skeletons} lit={lit} labels={labels}
              onHover={setLit} onPick={setLit} onScale={setScale} first={asked ? boxOf(asked) : null}
            />
            {overlays ? <Captions list={annotations} hidden={hidden} lit={lit} onLit={setLit} /> : null}
          </div>
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

/** Classes together, large ones first. */
function inOrder(list: readonly FullAnnotation[]): FullAnnotation[] {
  return [...list].sort((a, b) => a.class_id - b.class_id || areaOf(b) - areaOf(a));
}

function chosenSet(data: SampleDetail | undefined, wanted: string | undefined): string {
  const names = Object.keys(data?.label_sets ?? {});
  if (wanted && names.includes(wanted)) return wanted;
  return names.includes("ground_truth") ? "ground_truth" : (names[0] ?? "ground_truth");
}

/** The search of the grid that the sample was opened from. */
function grid({ ann: _ann, from: _from, ...search }: SampleSearch, at: number | undefined) {
  return { ...search, at: at ?? search.at };
}
