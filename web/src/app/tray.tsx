import { IconLoader2 } from "@tabler/icons-react";
import { useMutationState } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Run } from "@/api/schema.gen";
import { duration, plural } from "@/kit/format";
import { useCurrentRuns } from "@/rooms/pipeline/panel";

/** What runs now: work started on these pages, which goes on when one leaves them, and pipelines, wherever they were started. */
export function Tray() {
  const started = useMutationState({
    filters: { status: "pending", predicate: ({ meta }) => typeof meta?.job === "string" },
    select: ({ mutationId, meta, state }) => ({ id: mutationId, title: String(meta?.job), at: state.submittedAt }),
  });
  const running = useCurrentRuns();
  const now = useNow(started.length + running.length > 0);
  if (started.length + running.length === 0) return null;
  return (
    <section className="tray" aria-label="Running now">
      <ul>
        {started.map(({ id, title, at }) => (
          <li key={id}>
            <IconLoader2 size={13} className="spin" aria-hidden="true" />
            <span className="cut">{title}</span>
            <span className="side-count">{duration(Math.max(0, Math.round((now - at) / 1000)))}</span>
          </li>
        ))}
        {running.map((one) => (
          <li key={one.id}>
            <IconLoader2 size={13} className="spin" aria-hidden="true" />
            <Link to="/runs/$run" params={{ run: one.id }} className="cut">{one.pipeline}</Link>
            <span className="side-count">{progress(one)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The stages that ended, of those that the run has begun or planned. */
const progress = ({ stages }: Run): string =>
  `${stages.filter(({ state }) => state !== "running" && state !== "waiting").length} of ${plural(stages.length, "stage")}`;

function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}
