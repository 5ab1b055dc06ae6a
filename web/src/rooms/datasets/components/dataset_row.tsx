import { Link } from "@tanstack/react-router";
import { thumbUrl } from "@/api/client";
import type { DatasetRow as Row } from "@/api/schema.gen";
import { Pill, When } from "@/kit/basics";
import { count } from "@/kit/format";
import { Standing } from "@/kit/standing";

/** A dataset in one line: its counts, its gates, its latest commit, its first images. */
export function DatasetRow({ row }: { row: Row }) {
  const params = { dataset: row.name };
  return (
    <article className="dataset-row" aria-label={row.name}>
      <div className="dataset-text">
        <div className="dataset-head">
          <h3 className="cut"><Link to="/d/$dataset" params={params} className="dataset-link">{row.name}</Link></h3>
          <Standing gates={row.gates} open={row.open} />
          {row.dirty && row.samples ? <Pill tone="warn">{row.head ? "Uncommitted changes" : "Not committed"}</Pill> : null}
          {row.releases.slice(0, 2).map((version) => <Pill key={version} tone="accent">{version}</Pill>)}
          {row.releases.length > 2 ? <span className="dim">and {row.releases.length - 2} more</span> : null}
        </div>
        {row.description ? <p className="cut dim">{row.description}</p> : null}
        <div className="dataset-line">
        <dl className="dataset-numbers">
          <div><dt>{row.samples === 1 ? "sample" : "samples"}</dt><dd>{count(row.samples)}</dd></div>
          <div><dt>{row.annotations === 1 ? "annotation" : "annotations"}</dt><dd>{count(row.annotations)}</dd></div>
          <div><dt>{row.classes === 1 ? "class" : "classes"}</dt><dd>{count(row.classes)}</dd></div>
          {row.label_sets.length > 1 ? <div><dt>label sets</dt><dd>{row.label_sets.length}</dd></div> : null}
        </dl>
          <div className="dataset-commit cut">
            {row.head ? <>{row.head.message || "(no message)"}, <When at={row.head.at} /></> : "no commits yet"}
          </div>
        </div>
      </div>
      <Link to="/d/$dataset/samples" params={params} className="cover" tabIndex={-1} aria-hidden="true">
        {row.cover.slice(0, 8).map((media) => <img key={media} src={thumbUrl(row.name, media)} alt="" loading="lazy" className="thumb" />)}
      </Link>
    </article>
  );
}
