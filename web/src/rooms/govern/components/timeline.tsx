import { Link } from "@tanstack/react-router";
import type { AuditEvent } from "@/api/schema.gen";
import { plural } from "@/kit/format";

const MOST = 6;

/** Events, newest first, under the days (UTC) on which they happened. */
export function byDay(events: readonly AuditEvent[]): { day: string; events: AuditEvent[] }[] {
  return [...grouped(events, (event) => event.at.slice(0, 10))].map(([day, own]) => ({ day, events: own }));
}

function grouped(events: readonly AuditEvent[], key: (event: AuditEvent) => string): Map<string, AuditEvent[]> {
  const groups = new Map<string, AuditEvent[]>();
  for (const event of events) groups.set(key(event), [...(groups.get(key(event)) ?? []), event]);
  return groups;
}

/** What one person did, at a glance: how much of it, when, and which actions; each leads to its events. */
export function Timeline({ events, who, hasAccounts }: { events: readonly AuditEvent[]; who: string; hasAccounts: boolean }) {
  const first = events[0];
  if (!first || events.some((event) => event.actor !== first.actor)) return null;
  const days = byDay(events);
  const verbs = [...grouped(events, (event) => event.verb)].map(([verb, own]) => ({ verb, n: own.length })).sort((a, b) => b.n - a.n);
  return (
    <section className="audit-timeline" aria-label="Timeline">
      <h2>{first.actor_name || first.actor}</h2>
      <p className="dim">
        {plural(events.length, "event")} on {plural(days.length, "day")}, {days.at(-1)?.day} to {days[0]?.day}
        {hasAccounts && first.actor_name ? <>{" \u00b7 "}<Link to="/people" search={{ who: who.includes("@") ? who : undefined }} className="link">People</Link></> : null}
      </p>
      <ul>
        {verbs.slice(0, MOST).map(({ verb, n }) => <li key={verb}><Link to="/audit" search={(before) => ({ ...before, verb, event: undefined })} className="link mono">{verb}</Link> <span className="dim">{n}</span></li>)}
        {verbs.length > MOST ? <li className="dim">and {plural(verbs.length - MOST, "other action")}</li> : null}
      </ul>
    </section>
  );
}
