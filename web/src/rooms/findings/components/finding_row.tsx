import { IconDatabase } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { thumbUrl } from "@/api/client";
import type { ListedFinding } from "@/api/schema.gen";
import { sentence } from "@/kit/page";
import { SeverityPill } from "@/kit/severity";

/** The list that a row is in, and its place: what the page of its sample goes on with. */
export type InList = { run: string; check?: string | undefined; severity?: ListedFinding["severity"] | undefined; at: number };

type Props = { finding: ListedFinding; dataset: string; refName: string; list: InList; selected: boolean; onToggle: () => void };

/** One finding: it opens its sample at the annotation, and can be selected for triage. */
export function FindingRow({ finding, dataset, refName, list, selected, onToggle }: Props) {
  const { sample } = finding;
  const inner = (
    <>
      {sample ? <img src={thumbUrl(dataset, sample.media, 128)} alt="" className="thumb" width={70} height={46} loading="lazy" /> : <span className="thumb no-thumb"><IconDatabase size={18} stroke={1.5} /></span>}
      <span className="finding-text">
        <span className="finding-head">
          <SeverityPill severity={finding.severity} />
          <strong>{finding.check}</strong>
          {finding.state && finding.state !== "open" ? <span className="pill finding-state" title={finding.note ?? undefined}>{finding.state}{finding.assignee ? ` · ${finding.assignee}` : ""}</span> : null}
          <span className="cut dim">{sample?.name ?? finding.sample_name ?? "whole dataset"}</span>
          {!sample && finding.sample_name ? <span className="dim">(no longer in the dataset)</span> : null}
        </span>
        <span className="finding-reason" title={finding.reason}>{sentence(finding.reason)}</span>
      </span>
    </>
  );
  const tick = <input type="checkbox" className="finding-tick" checked={selected} onChange={onToggle} aria-label={`Select ${finding.check} of ${finding.sample_name ?? "the dataset"}`} />;
  if (!sample) return <div className="triage-row">{tick}<div className="finding-row">{inner}</div></div>;
  return (
    <div className="triage-row">
    {tick}
    <Link
      className="finding-row" to="/d/$dataset/samples/$sample" params={{ dataset, sample: sample.id }}
      search={{ ref: refName || undefined, from: "checks", ...list, ann: finding.annotation ?? undefined, labels: finding.label_set ?? undefined }}
    >
      {inner}
    </Link>
    </div>
  );
}
