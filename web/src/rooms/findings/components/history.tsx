import { useQuery } from "@tanstack/react-query";
import type { ListedFinding } from "@/api/schema.gen";
import { When } from "@/kit/basics";
import * as api from "../api";

const NEWEST = 5;
/** Ids in notes, such as those of fixes: their beginning is enough to read. */
const LONG_ID = /\b([0-9a-f]{8})[0-9a-f]{24}\b/g;

/** What happened to a finding, newest first; nothing for findings that are not tracked. */
export function History({ dataset, finding }: { dataset: string; finding: ListedFinding }) {
  const query = useQuery({ ...api.life(dataset, finding.key), enabled: finding.state !== null });
  const events = query.data?.events ?? [];
  if (events.length === 0) return null;
  return (
    <ol className="finding-history" aria-label="History" reversed>
      {events.slice(-NEWEST).reverse().map((event, n) => (
        <li key={`${event.at} ${n}`}>
          <span><strong>{event.verb.replaceAll("-", " ")}</strong> <span className="dim">by {event.actor}, <When at={event.at} /></span></span>
          {event.note ? <span className="dim">{event.note.replace(LONG_ID, "$1")}</span> : null}
        </li>
      ))}
    </ol>
  );
}
