import { Link } from "@tanstack/react-router";
import type { Since } from "@/api/schema.gen";
import { Delta } from "@/kit/counts";
import { Panel } from "@/kit/page";

/** What differs from the release before. */
export function SinceBefore({ since, dataset, tag }: { since: Since; dataset: string; tag: string }) {
  const before = <Link to="/d/$dataset/releases/$version" params={{ dataset, version: since.version }} className="link">{since.version}</Link>;
  if (since.same) return <Panel title="Changes"><p>Nothing differs from {before}.</p></Panel>;
  return (
    <Panel
      title="Changes" meta={<Link to="/d/$dataset/diff" params={{ dataset }} search={{ a: `release/${since.version}`, b: tag }} className="link">View changes</Link>}
    >
      <p className="since">
        <span>Since {before}</span> <Delta counts={since.samples} of="samples" /> <Delta counts={since.annotations} of="annotations" />
        {since.documents.length ? <span className="dim">{since.documents.join(", ")} changed</span> : null}
      </p>
    </Panel>
  );
}
