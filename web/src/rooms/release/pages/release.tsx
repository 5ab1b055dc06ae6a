import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Release } from "@/api/schema.gen";
import { CommandLine, Copy, Loading, Stat, When } from "@/kit/basics";
import { bytes, count, measured, percent, plural, short, shown } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { GatePill, GateSummary } from "@/kit/gates";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import { SinceBefore } from "../components/since";
import { FindingStates, Objectives, Warnings } from "../components/standing";
import { ClassTable, Conditions, CountedTable, Exports } from "../components/tables";
import "./release.css";

/** The card of a release: what is in it, for whom, how it was tested, and its files. */
export function ReleasePage() {
  const { dataset } = useDataset();
  const { version } = useParams({ from: "/d/$dataset/releases/$version" });
  const query = useQuery(api.release(dataset, version));
  const data = query.data;
  return (
    <Page
      title={version} withRef={false} actions={<CopyAs panel="release" shown={{ dataset, version }} />}
      crumbs={<><Link to="/d/$dataset/releases" params={{ dataset }} className="crumb">Releases</Link><span className="slash" aria-hidden="true">/</span></>}
      meta={data ? <><GateSummary gates={data.gates} /><span>released <When at={data.at} /> by {data.actor}</span></> : null}
    >
      {query.isPending ? <Loading what="the release" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {data ? <CardOf release={data} dataset={dataset} /> : null}
    </Page>
  );
}

function CardOf({ release, dataset }: { release: Release; dataset: string }) {
  const { card } = release;
  const tag = `release/${release.version}`;
  const by = card.split_by.by;
  return (
    <div className="card">
      <div className="card-main">
        {card.intent ? <p className="card-intent">{card.intent}</p> : null}
        <Warnings warnings={card.warnings ?? []} />
        <dl className="stats">
          <Stat label="Samples" value={<Link to="/d/$dataset/samples" params={{ dataset }} search={{ ref: tag }} className="link-plain">{count(card.samples)}</Link>} />
          <Stat label="Annotations" value={count(card.annotations)} note={card.kinds.map((kind) => `${count(kind.count)} ${String(kind.value).replaceAll("_", " ")}`).join(", ")} />
          <Stat label="Classes" value={count(card.classes.length)} />
          {card.derived ? <Stat label="Derived" value={count(card.derived)} /> : null}
          {card.sizes.min && card.sizes.max ? <Stat label="Image size" value={range(card.sizes.min, card.sizes.max)} note="px" /> : null}
        </dl>
        {card.since ? <SinceBefore since={card.since} dataset={dataset} tag={tag} /> : null}
        <Panel title="Splits" meta={by ? `grouped by ${by}` : undefined} className="table">
          <table className="rows">
            <thead><tr><th>Split</th><th className="num">Samples</th><th className="num">Share</th><th className="num">Annotations</th></tr></thead>
            <tbody>
              {card.splits.map((row) => (
                <tr key={row.name}>
                  <td>{row.name || "no split"}</td>
                  <td className="num">{count(row.samples)}</td>
                  <td className="num dim">{percent(row.samples, card.samples)}</td>
                  <td className="num">{count(row.annotations)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
        <Panel title="Classes" meta="annotations" className="table"><ClassTable card={card} /></Panel>
        <Objectives objectives={card.objectives ?? []} />
        <FindingStates standing={card.standing ?? {}} />
        {card.conditions.length ? <Panel title="Conditions" meta="distribution of the metadata" className="table"><Conditions card={card} /></Panel> : null}
        <Files release={release} dataset={dataset} />
      </div>
      <div className="card-side">
        <Panel title="About">
          <dl className="facts">
            <Fact name="Commit"><Link to="/d/$dataset" params={{ dataset }} search={{ ref: tag }} className="mono link">{short(release.commit)}</Link> <Copy text={release.commit} label="Copy the commit ID" /></Fact>
            <Fact name="Author">{card.author}</Fact>
            <Fact name="Contract">{card.contract || "default"}</Fact>
            {card.owner ? <Fact name="Owner">{card.owner}</Fact> : null}
            {card.purpose ? <Fact name="Purpose">{card.purpose}</Fact> : null}
            {card.purposes?.length ? <Fact name="Allowed purposes"><span className="dim">{card.purposes.join(", ")}</span></Fact> : null}
            {card.privacy?.level ? <Fact name="Privacy">{[card.privacy.level, ...card.privacy.contains].join(", ")}</Fact> : null}
            {card.privacy && card.privacy.retention_days !== null ? <Fact name="Retention">{plural(card.privacy.retention_days, "day")}</Fact> : null}
            <Fact name="Label set">{card.label_set}</Fact>
            {card.pool.where ? <Fact name="Query">{card.pool.where}</Fact> : null}
            {card.pool.selected !== null ? <Fact name="Selected">{plural(card.pool.selected, "sample")}</Fact> : null}
          </dl>
        </Panel>
        <Panel title="Gates" meta={`${card.gates.filter((gate) => gate.state === "green").length} of ${card.gates.length} green`}>
          <ul className="card-gates">
            {card.gates.map((gate) => (
              <li key={gate.name}><GatePill state={gate.state} /><span className="cut" title={gate.detail}>{gate.name}</span><span className="num dim" title={gate.unit}>{typeof gate.measured === "number" ? measured(gate.measured) : shown(gate.measured)}</span></li>
            ))}
          </ul>
        </Panel>
        <Panel title="Findings"><FindingCounts findings={card.findings} /></Panel>
        <Panel title="Licences" className="table"><CountedTable word="licence" rows={card.licences} /></Panel>
        <Panel title="Sources" className="table"><CountedTable word="source" rows={card.sources} /></Panel>
        {card.recipes.length ? <Panel title="Recipes" className="table"><CountedTable word="recipe" rows={card.recipes} /></Panel> : null}
        {card.exports.length ? <Panel title="Exports"><Exports card={card} /></Panel> : null}
      </div>
    </div>
  );
}

function FindingCounts({ findings }: { findings: Record<string, number> }) {
  const some = Object.entries(findings).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  if (some.length === 0) return <span className="dim">none</span>;
  return <ul className="card-gates">{some.map(([name, n]) => <li key={name}><span>{name}</span><span className="num">{count(n)}</span></li>)}</ul>;
}

function Files({ release, dataset }: { release: Release; dataset: string }) {
  const total = release.files.reduce((sum, file) => sum + file.bytes, 0);
  return (
    <Panel title="Files" meta={`${plural(release.files.length, "file")}, ${bytes(total)}`} className="table">
      {release.files.length ? (
        <table className="rows">
          <thead><tr><th>File</th><th className="num">Size</th><th>SHA-256</th><th><span className="hidden-label">Download</span></th></tr></thead>
          <tbody>
            {release.files.map((file) => (
              <tr key={file.path}>
                <td className="mono cut-cell">{file.path}</td>
                <td className="num">{bytes(file.bytes)}</td>
                <td className="mono dim nowrap">{file.sha256.slice(0, 12)}… <Copy text={file.sha256} label={`Copy the SHA-256 of ${file.path}`} /></td>
                <td><a href={api.fileUrl(dataset, release.version, file.path)} download className="icon-button small" aria-label={`Download ${file.path}`}><IconDownload size={14} /></a></td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : <EmptyState title="No files" />}
      <div className="card-use">
        <span className="dim">Export it:</span>
        <CommandLine>{`calotype export ${dataset}@release/${release.version} --format coco --out out`}</CommandLine>
      </div>
    </Panel>
  );
}

const range = (low: [number, number], high: [number, number]) =>
  low.join() === high.join() ? `${low[0]} \u00d7 ${low[1]}` : `${low.join("\u00d7")} to ${high.join("\u00d7")}`;

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

