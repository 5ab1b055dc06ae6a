import { useDebouncedValue } from "@mantine/hooks";
import { IconChartDots3, IconHandStop, IconLasso } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState, type ReactNode } from "react";
import { thumbUrl } from "@/api/client";
import { cornersOf, cornersText, countInside, type Corner } from "@/canvas/scatter";
import { Button, CommandLine, Loading, Segmented } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { branchOf } from "@/kit/branch";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import * as api from "./api";
import { Legend, wayName } from "./components/legend";
import { MapStage } from "./components/map_stage";
import { PickSamples } from "./components/pick_samples";
import type { MapSearch } from "./search";
import "./page.css";

/** The samples on a plane, so that those that look alike lie near each other; a part of it opens in the grid. */
export function MapPage() {
  const { dataset, ref } = useDataset();
  const search = useSearch({ from: "/d/$dataset/map" });
  const navigate = useNavigate({ from: "/d/$dataset/map" });
  const client = useQueryClient();
  const { by = "class", where = "" } = search;
  const models = useQuery(api.models(dataset));
  const known = models.data?.items ?? [];
  const model = search.model ?? known[0]?.model ?? "";
  const map = useQuery({ ...api.map(dataset, ref, model, by), placeholderData: keepPreviousData, enabled: model !== "" });
  const points = useQuery({ ...api.points(dataset, ref, model, by, where), placeholderData: keepPreviousData, enabled: map.data !== undefined });
  const [tool, setTool] = useState<"move" | "lasso">("lasso");
  const [hover, setHover] = useState<{ index: number; x: number; y: number } | null>(null);
  const set = (more: Partial<MapSearch>) => void navigate({ search: (before) => ({ ...before, ...more }), replace: true });
  const lasso = useMemo(() => cornersOf(search.lasso), [search.lasso]);
  const selected = useMemo(() => (lasso && points.data ? countInside(points.data, lasso) : 0), [lasso, points.data]);
  const within = lasso && map.data ? `${map.data.model}:${cornersText(lasso)}` : undefined;
  const all = () => set({ where: undefined });
  const toGrid = () => {
    if (within) void navigate({ to: "/d/$dataset/samples", params: { dataset }, search: { ref: ref || undefined, where: where || undefined, within } });
  };
  const open = async (index: number) => {
    const sample = await client.fetchQuery(api.point(dataset, ref, model, index)).catch(() => null);
    if (sample) void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset, sample: sample.id }, search: { ref: ref || undefined } });
  };
  const [still] = useDebouncedValue(hover?.index ?? -1, 80);
  const hovered = useQuery({ ...api.point(dataset, ref, model, Math.max(0, still)), enabled: still >= 0 });
  const error = models.error ?? map.error ?? points.error;
  const branch = branchOf(ref);
  const isMissing = models.data !== undefined && model === "";
  const isWaiting = models.isPending || (!isMissing && !error && (map.isPending || points.isPending));
  return (
    <Page
      title="Map" flush
      meta={map.data ? <><span>{plural(map.data.total, "sample")}</span>{map.data.missing ? <span>{count(map.data.missing)} without a vector</span> : null}{known.length > 1 ? null : <span className="mono">{map.data.model}</span>}</> : null}
      actions={map.data ? (
        <>
          <CopyAs panel="map" shown={{ dataset, ref, model, by }} />
          {known.length > 1 ? (
            <select className="field" aria-label="Model" value={model} onChange={(event) => set({ model: event.target.value, lasso: undefined })}>
              {known.map((one) => <option key={one.model}>{one.model}</option>)}
            </select>
          ) : null}
          <select className="field" aria-label="Colour by" value={by} onChange={(event) => set({ by: event.target.value === "class" ? undefined : event.target.value })}>
            {map.data.ways.map((way) => <option key={way} value={way}>{wayName(way)}</option>)}
          </select>
          <Segmented
            label="What dragging does" value={tool} onChange={setTool}
            options={[{ value: "lasso", label: <IconLasso size={15} />, name: "Select with a lasso" }, { value: "move", label: <IconHandStop size={15} />, name: "Move the map" }]}
          />
        </>
      ) : null}
    >
      {isWaiting ? <><Loading what="the map" rows={3} /><p className="map-wait dim">Placing the samples. The first time this takes some seconds.</p></> : null}
      {error ? <ErrorState error={error} onRetry={() => void (models.error ? models.refetch() : map.refetch())} /> : null}
      {isMissing ? <NoVectors dataset={dataset}>{branch === null ? null : <PickSamples dataset={dataset} branch={branch} where={where} />}</NoVectors> : null}
      {map.data && points.data && !error ? (
        <div className="map">
          <div className="map-main">
            <MapStage
              cloud={points.data} lasso={lasso} tool={tool} label={`Map of ${plural(map.data.total, "sample")}`}
              onTool={() => setTool(tool === "lasso" ? "move" : "lasso")} onLasso={(corners: Corner[] | null) => set({ lasso: corners ? cornersText(corners) : undefined })}
              onGrid={toGrid} onAll={all} onHover={(index, at) => setHover(index === null ? null : { index, ...at })} onOpen={(index) => void open(index)}
            />
            {hover && hovered.data?.index === hover.index ? (
              <figure className="map-hover" style={{ left: hover.x + 16, top: hover.y + 12 }}>
                <img src={thumbUrl(dataset, hovered.data.media)} alt="" width={160} />
                <figcaption className="cut">{hovered.data.name}</figcaption>
              </figure>
            ) : null}
          </div>
          <aside className="map-side" aria-label="Selection and colours">
            <section>
              <h2>Selection</h2>
              {lasso ? (
                <>
                  <p role="status">{plural(selected, "sample")} selected</p>
                  <div className="map-actions">
                    <Button look="first" disabled={selected === 0} command="map.grid">Open in the grid</Button>
                    <Button look="quiet" command="map.clear">Clear</Button>
                  </div>
                </>
              ) : <p className="dim">Draw a line around points to select their samples.</p>}
              {where ? <p className="map-where"><code className="cut" title={where}>{where}</code> <Button look="quiet" command="map.all">Show all</Button></p> : null}
            </section>
            {branch === null ? null : <PickSamples dataset={dataset} branch={branch} where={where} />}
            <section>
              <h2>{wayName(by)}</h2>
              <Legend map={map.data} />
            </section>
            <p className="dim">Samples that look alike lie near each other. Distances between far groups mean little. <Link className="link" to="/d/$dataset/samples" params={{ dataset }} search={{ where: where || undefined }}>Samples</Link></p>
          </aside>
        </div>
      ) : null}
    </Page>
  );
}

function NoVectors({ dataset, children }: { dataset: string; children: ReactNode }) {
  return (
    <EmptyState title="No vectors yet" icon={<IconChartDots3 size={26} stroke={1.5} />}>
      <p>The map places samples by the vectors of a model, so that those that look alike lie near each other. Compute them once:</p>
      <CommandLine>{`calotype embed ${dataset}`}</CommandLine>
      {children}
    </EmptyState>
  );
}
