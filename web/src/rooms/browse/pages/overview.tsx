import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { ClassCount, Overview } from "@/api/schema.gen";
import { DERIVED, equals, ofClass, tagged, UNLABELLED } from "@/api/where";
import { classColour } from "@/canvas/colours";
import { Bars, Shares } from "@/kit/bars";
import { CommandLine, Loading, Pill, Stat } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, percent, short } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import { LatestRun } from "@/rooms/checks/panel";
import { LatestCommits } from "@/rooms/versions/panel";
import * as api from "../api";
import { Fields, type Filter } from "../components/fields";
import { OVERVIEW_KEYS } from "../keys";
import "./overview.css";

/** A dataset at a glance; every count links to the samples behind it. */
export function OverviewPage() {
  const { dataset, ref } = useDataset();
  const query = useQuery(api.overview(dataset, ref));
  const navigate = useNavigate();
  useCommands(OVERVIEW_KEYS, { "overview.samples": () => void navigate({ to: "/d/$dataset/samples", params: { dataset } }) });
  const data = query.data;
  return (
    <Page title="Overview" meta={data ? <Meta data={data} /> : null} actions={<CopyAs panel="overview" shown={{ dataset, ref }} />}>
      {query.isPending ? <Loading what="the overview" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {data && data.samples === 0 ? <Empty dataset={dataset} /> : null}
      {data && data.samples > 0 ? <Content data={data} dataset={dataset} refName={ref} /> : null}
    </Page>
  );
}

function Meta({ data }: { data: Overview }) {
  return (
    <>
      {data.commit ? <span className="mono">{short(data.commit)}</span> : null}
      {data.dirty && data.samples ? <Pill tone="warn">Uncommitted changes</Pill> : null}
      {data.description ? <span className="cut">{data.description}</span> : null}
    </>
  );
}

function Content({ data, dataset, refName }: { data: Overview; dataset: string; refName: string }) {
  const filter: Filter = (where) => ({ to: "/d/$dataset/samples", params: { dataset }, search: { where, ref: refName || undefined } });
  const sizes = data.sizes;
  const same = sizes && sizes.min.join() === sizes.max.join();
  return (
    <>
      <dl className="stats">
        <Stat label="Samples" value={<Link {...filter("")} className="link-plain">{count(data.samples)}</Link>} />
        <Stat label="Annotations" value={count(data.annotations)} note={`${(data.annotations / data.samples).toFixed(1)} per sample`} />
        <Stat label="Classes" value={count(data.classes.length)} />
        <Stat
          label="Unlabelled" note={data.unlabelled ? percent(data.unlabelled, data.samples) : undefined}
          value={data.unlabelled ? <Link {...filter(UNLABELLED)} className="link-plain">{count(data.unlabelled)}</Link> : "0"}
        />
        {data.derived ? <Stat label="Derived" value={<Link {...filter(DERIVED)} className="link-plain">{count(data.derived)}</Link>} note={percent(data.derived, data.samples)} /> : null}
        {sizes ? (
          <Stat
            label="Image size" value={`${sizes.median[0]} \u00d7 ${sizes.median[1]}`}
            note={same ? "px, all images" : `px median, ${sizes.min.join("\u00d7")} to ${sizes.max.join("\u00d7")}`}
          />
        ) : null}
      </dl>
      <div className="overview-grid">
        <div className="overview-main">
          <Panel title="Classes" meta={<span className="bars-head"><span>annotations</span><span>samples</span></span>}>
            {data.classes.length ? (
              <Classes classes={data.classes} filter={filter} />
            ) : (
              <EmptyState title="No classes yet"><p>Classes are created when you import labels:</p><CommandLine>{`calotype import ${dataset} instances.json`}</CommandLine></EmptyState>
            )}
          </Panel>
          {data.fields.length ? <Panel title="Metadata"><Fields fields={data.fields} filter={filter} /></Panel> : null}
        </div>
        <Side data={data} dataset={dataset} refName={refName} filter={filter} />
      </div>
    </>
  );
}

const MANY = 24;

/** Classes in order of their ids; more than 24 by size, the largest first, the rest on demand. */
function Classes({ classes, filter }: { classes: ClassCount[]; filter: Filter }) {
  const [all, setAll] = useState(false);
  const sorted = classes.length > MANY ? [...classes].sort((a, b) => b.annotations - a.annotations) : classes;
  const shown = all ? sorted : sorted.slice(0, MANY);
  return (
    <>
      <Bars
        label="Annotations by class"
        items={shown.map((one) => ({
          key: String(one.id), label: one.name, name: one.name, value: one.annotations, colour: classColour(one.id),
          note: count(one.samples), link: filter(ofClass(one.name)),
        }))}
      />
      {shown.length < sorted.length ? (
        <button type="button" className="link more" onClick={() => setAll(true)}>Show all {count(sorted.length)} classes</button>
      ) : null}
    </>
  );
}

function Side({ data, dataset, refName, filter }: { data: Overview; dataset: string; refName: string; filter: Filter }) {
  const splits = data.splits.map((one) => ({ ...one, key: one.name || "none", name: one.name || "no split" }));
  return (
    <div className="overview-side">
      <Panel title="Gates" meta={data.contract ? <>contract <span className="mono">{short(data.contract.sha256)}</span></> : "default contract"}>
        <LatestRun dataset={dataset} refName={refName} />
      </Panel>
      <Panel title="Splits" meta="samples">
        {splits.length > 1 ? <Shares label="Splits" items={splits.map((one) => ({ key: one.key, name: one.name, value: one.samples }))} /> : null}
        <Bars
          label="Samples by split" max={data.samples}
          items={splits.map((one) => ({
            key: one.key, label: one.name, name: one.name, value: one.samples, note: percent(one.samples, data.samples),
            link: filter(equals("split", one.key === "none" ? "" : one.name)),
          }))}
        />
      </Panel>
      <Panel title="Label sets" meta="annotations">
        <Bars
          label="Annotations by label set"
          items={data.label_sets.flatMap((set) =>
            Object.entries(set.kinds).map(([kind, n]) => ({ key: `${set.name} ${kind}`, label: <>{set.name} <span className="dim">&nbsp;{kind.replaceAll("_", " ")}</span></>, name: `${set.name} ${kind.replaceAll("_", " ")}`, value: n })),
          )}
        />
        {data.label_sets.length === 0 ? <span className="dim">none</span> : null}
      </Panel>
      <Panel title="Licences and sources" meta="samples">
        <Bars label="Licences and sources" max={data.samples} items={[...data.licences.slice(0, 6).map(({ value, count: n }) => ({ key: `licence ${value}`, label: value || <span className="dim">no licence</span>, name: String(value || "no licence"), value: n, link: filter(equals("licence", value)) })), ...data.sources.slice(0, 6).map(({ value, count: n }) => ({ key: `source ${value}`, label: value || <span className="dim">no source</span>, name: String(value || "no source"), value: n, link: filter(equals("source", value)) }))]} />
      </Panel>
      {data.tags.length ? (
        <Panel title="Tags" meta="samples">
          <Bars label="Tags" items={data.tags.slice(0, 8).map(({ value, count: n }) => ({ key: String(value), label: String(value), name: String(value), value: n, link: filter(tagged(String(value))) }))} />
        </Panel>
      ) : null}
      <Panel title="Latest commits"><LatestCommits dataset={dataset} refName={refName} /></Panel>
    </div>
  );
}

function Empty({ dataset }: { dataset: string }) {
  return (
    <EmptyState title="No samples yet">
      <p>Add images, then their labels:</p>
      <CommandLine>{`calotype add ${dataset} ~/images --source cam-07 --licence CC-BY-4.0`}</CommandLine>
      <CommandLine>{`calotype import ${dataset} instances.json`}</CommandLine>
    </EmptyState>
  );
}
