import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { mediaUrl, thumbUrl } from "@/api/client";
import type { ClassCount, ListedFinding } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";
import { skeletonsOf } from "@/canvas/skeletons";
import { Loading } from "@/kit/basics";
import { measured, percent, shown } from "@/kit/format";
import { EmptyState, ErrorState, sentence } from "@/kit/page";
import { SeverityPill } from "@/kit/severity";
import { sample as sampleQuery } from "@/rooms/browse/api";
import type { fromList } from "../search";
import { Crop } from "@/canvas/crop";
import { Examples } from "./examples";
import { History } from "./history";
import { boxOfFinding, confidence, fixWords, suggestedBox, suggestedClass } from "./words";

type Props = { finding: ListedFinding; dataset: string; refName: string; classes: readonly ClassCount[]; from: ReturnType<typeof fromList> };

/** One finding: its object in its surroundings beside the claim, the label as it is, and what it looks like. */
export function Detail({ finding, dataset, refName, classes, from }: Props) {
  const suggested = suggestedClass(finding);
  const given = finding.class;
  const fix = fixWords(finding);
  const sure = confidence(finding);
  const box = boxOfFinding(finding);
  const others = { except: finding.sample?.id ?? "", area: box ? box.w * box.h : 10_000 };
  return (
    <article className="finding-detail" aria-label="Finding">
      <header className="claim" aria-live="polite">
        <div className="claim-head">
          <SeverityPill severity={finding.severity} />
          <strong>{finding.check}</strong>
          {finding.fault ? <span className="dim">{finding.fault.replaceAll("_", " ")}</span> : null}
          {finding.state && finding.state !== "open" ? <span className={`pill state-${finding.state}`}>{finding.state}{finding.assignee ? ` · ${finding.assignee}` : ""}</span> : null}
        </div>
        <h2>{sentence(finding.reason)}</h2>
      </header>
      <div className="finding-main" tabIndex={0} role="group" aria-label="Object, label and suggestion">
        <Look finding={finding} dataset={dataset} refName={refName} classes={classes} from={from} />
        <aside className="finding-side" aria-label="Label and suggestion">
          {given ? <Label title="Labelled" name={given} classes={classes} /> : null}
          {given && given !== suggested ? <Examples dataset={dataset} refName={refName} name={given} {...others} /> : null}
          {suggested ? (
            <>
              <Label title="Looks like" name={suggested} classes={classes} {...(sure === null ? {} : { note: `${percent(sure, 1)} sure` })} />
              <Examples dataset={dataset} refName={refName} name={suggested} {...others} />
            </>
          ) : null}
          <div className="finding-fix"><span className="dim">Suggested fix</span>{fix ? sentence(fix) : "None: choose a class, fix it by hand, or reject it"}</div>
          <Figures facts={finding.facts} />
          <History dataset={dataset} finding={finding} />
        </aside>
      </div>
    </article>
  );
}

function Label({ title, name, classes, note }: { title: string; name: string; classes: readonly ClassCount[]; note?: string }) {
  const id = classes.find((one) => one.name === name)?.id;
  return (
    <div className="finding-label">
      <span className="dim">{title}</span>
      <strong>{id === undefined ? null : <i className="dot" style={{ background: classColour(id) }} />}{name}</strong>
      {note ? <span className="num">{note}</span> : null}
    </div>
  );
}

/** The image around the object, with all annotations and the object's own on top. */
function Look({ finding, dataset, refName, classes, from }: Props) {
  const { sample } = finding;
  const query = useQuery({ ...sampleQuery(dataset, sample?.id ?? "", refName, {}), enabled: sample !== null });
  if (!sample) {
    return (
      <EmptyState title={finding.sample_name ? `${finding.sample_name} is no longer in the dataset` : "About the whole dataset"}>
        <p>{finding.sample_name ? "It was removed or renamed after this run of the checks." : "This finding is about no single image."}</p>
      </EmptyState>
    );
  }
  const annotations = (query.data?.label_sets[finding.label_set ?? "ground_truth"] ?? []);
  return (
    <div className="look">
      <Crop
        src={mediaUrl(dataset, sample.media)} early={thumbUrl(dataset, sample.media, 512)} name={`${finding.class ?? finding.check} in ${sample.name}`}
        width={sample.width} height={sample.height} box={boxOfFinding(finding)} annotations={annotations} lit={finding.annotation}
        skeletons={skeletonsOf(classes)} proposed={suggestedBox(finding)} labels
      />
      <p className="look-place">
        <Link
          to="/d/$dataset/samples/$sample" params={{ dataset, sample: sample.id }} className="link cut"
          search={{ ref: refName || undefined, ...from, ann: finding.annotation ?? undefined, labels: finding.label_set ?? undefined }}
        >{sample.name}</Link>
        <Conditions metadata={query.data?.metadata} split={query.data?.split} />
      </p>
      {query.isPending ? <Loading what="the annotations" rows={1} /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
    </div>
  );
}

function Conditions({ metadata = {}, split = "" }: { metadata?: Record<string, unknown> | undefined; split?: string | undefined }) {
  const short = Object.entries(metadata).filter(([, value]) => typeof value !== "object" && String(value).length <= 20);
  const words = [split, ...short.slice(0, 6).map(([name, value]) => `${name} ${typeof value === "number" ? measured(value) : shown(value)}`)];
  return <span className="dim cut">{words.filter(Boolean).join(" · ")}</span>;
}

const HIDDEN = new Set(["repair", "given", "suggested", "probability", "box_xywh_px", "fault", "rings_xywh_px"]);

/** The figures behind the claim, as far as they are single values. */
function Figures({ facts }: { facts: Record<string, unknown> }) {
  const rows = Object.entries(facts).filter(([name, value]) => !HIDDEN.has(name) && (typeof value !== "object" || value === null));
  if (rows.length === 0) return null;
  return (
    <dl className="facts figures">
      {rows.slice(0, 8).map(([name, value]) => (
        <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd className="cut" title={String(value)}>{shown(value)}</dd></div>
      ))}
    </dl>
  );
}
