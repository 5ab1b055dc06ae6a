import { Link } from "@tanstack/react-router";
import type { AuditEvent } from "@/api/schema.gen";
import { count, moment, shown } from "@/kit/format";

/** One event of the audit trail; its details unfold. */
export function EventRow({ event, known }: { event: AuditEvent; known: boolean }) {
  const details = Object.entries(event.details);
  return (
    <tr>
      <td className="num dim">{count(event.seq)}</td>
      <td className="nowrap">{moment(event.at).replace(" UTC", "")}</td>
      <td className="nowrap">{event.actor}</td>
      <td className="mono nowrap">{event.verb}</td>
      <td className="cut" title={event.subject}>{known && event.subject ? <Link to="/d/$dataset" params={{ dataset: event.subject }} className="link">{event.subject}</Link> : event.subject}</td>
      <td>
        {details.length ? (
          <details className="audit-details">
            <summary><span className="cut">{details.slice(0, 4).map(([key, value]) => `${key} ${brief(value)}`).join(", ")}</span></summary>
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
