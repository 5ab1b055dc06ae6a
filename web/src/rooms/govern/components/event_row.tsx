import { Link } from "@tanstack/react-router";
import type { AuditEvent } from "@/api/schema.gen";
import { count, moment, shown } from "@/kit/format";

/** One event of the audit trail; its details unfold. */
export function EventRow({ event, known, open, isInDay = false }: { event: AuditEvent; known: boolean; open: boolean; isInDay?: boolean }) {
  const details = Object.entries(event.details);
  return (
    <tr>
      <td className="num"><Link to="/audit" search={{ event: event.seq }} className="link dim" title="Permanent link to this event">{count(event.seq)}</Link></td>
      <td className="nowrap">{isInDay ? event.at.slice(11, 19) : moment(event.at).replace(" UTC", "")}</td>
      <td className="cut" title={event.actor}><Link to="/audit" search={{ who: event.actor }} className="link">{event.actor_name || event.actor}</Link></td>
      <td className="mono nowrap">{event.verb}</td>
      <td className="cut" title={event.subject}>{known && event.subject ? <Link to="/d/$dataset" params={{ dataset: event.subject }} className="link">{event.subject}</Link> : event.subject}</td>
      <td>
        {details.length ? (
          <details className="audit-details" open={open}>
            <summary><span className="cut">{details.filter(([key]) => key !== "request").slice(0, 4).map(([key, value]) => `${key} ${brief(value)}`).join(", ")}</span></summary>
            <dl className="facts">
              {details.map(([key, value]) => <Detail key={key} name={key} value={value} />)}
            </dl>
          </details>
        ) : null}
      </td>
    </tr>
  );
}

function Detail({ name, value }: { name: string; value: unknown }) {
  return <><dt>{name}</dt><dd className="mono">{shown(value)}</dd></>;
}

function brief(value: unknown): string {
  const text = shown(value);
  if (/^[0-9a-f]{32,}$/.test(text)) return text.slice(0, 8);
  return text.length > 48 ? `${text.slice(0, 47)}…` : text;
}
