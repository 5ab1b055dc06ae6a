import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Changes, ReleasePlan } from "@/api/schema.gen";
import { Snippets } from "@/kit/copy_as";
import { Delta } from "@/kit/counts";

type Props = { dataset: string; plan: ReleasePlan; head: string | undefined; accepted: boolean; onAccept: (accepted: boolean) => void };

/** What the release will hold besides the last commit, and what it adds to the release before. Pending edits need a yes. */
export function Planned({ dataset, plan, head, accepted, onAccept }: Props) {
  const { uncommitted, since } = plan;
  return (
    <div className="make-plan">
      {since ? (
        <p>
          {since.same ? <><IconAlertTriangle size={14} aria-hidden="true" /> Nothing differs from release {since.version}.</> : (
            <>Since {since.version}: <Counts changes={since} />{since.documents.length ? <span className="dim">{since.documents.join(", ")} changed</span> : null} <Link className="link" to="/d/$dataset/diff" params={{ dataset }} search={{ a: since.commit.slice(0, 12) }}>View changes</Link></>
          )}
        </p>
      ) : null}
      {uncommitted ? (
        <label className="make-accept">
          <input type="checkbox" checked={accepted} onChange={(event) => onAccept(event.target.checked)} />
          <span>
            Commit and release the uncommitted changes too: <Counts changes={uncommitted} />{" "}
            {head ? <Link className="link" to="/d/$dataset/diff" params={{ dataset }} search={{ a: head.slice(0, 12) }}>View changes</Link> : null}
          </span>
        </label>
      ) : null}
      <details>
        <summary>Copy as code</summary>
        <Snippets panel="releasePlan" shown={{ dataset }} />
      </details>
    </div>
  );
}

function Counts({ changes: { samples, annotations } }: { changes: Changes }) {
  const some = [["samples", samples], ["annotations", annotations]] as const;
  const changed = some.filter(([, counts]) => counts.added + counts.removed + counts.changed > 0);
  if (changed.length === 0) return <span className="dim">no rows; classes, fields or the contract</span>;
  return <span className="make-counts">{changed.map(([of, counts]) => <Delta key={of} counts={counts} of={of} />)}</span>;
}
