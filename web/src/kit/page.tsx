import { useEffect, type ReactNode } from "react";
import { Problem } from "@/api/client";
import { Button } from "@/kit/basics";
import { useCommands, type CommandLine } from "@/kit/commands";
import { NextSteps } from "@/kit/next_steps";
import { Words } from "@/kit/words";

export { sentence } from "@/kit/format";

/** The title of the window: the page first, so that tabs can be distinguished. */
export function useTitle(...parts: (string | undefined)[]): void {
  const title = [...parts.filter(Boolean), "Calotype"].join(" \u00b7 ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export function Panel({ title, meta, children, className = "" }: {
  title?: ReactNode;
  meta?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`panel ${className}`}>
      {title ? (
        <header className="panel-head">
          <h2>{title}</h2>
          {meta ? <div className="panel-meta">{meta}</div> : null}
        </header>
      ) : null}
      <div className="panel-body">{children}</div>
    </section>
  );
}

/** Nothing here yet, and what to do about it. */
export function EmptyState({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="state">
      {icon ? <div className="state-icon">{icon}</div> : null}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

const RETRY_KEYS = { "page.retry": { title: "Try to load it again", group: "Page" } } satisfies Record<string, CommandLine>;

function Retry({ run }: { run: () => void }) {
  useCommands(RETRY_KEYS, { "page.retry": run });
  return <Button command="page.retry" onClick={run}>Try again</Button>;
}

/** What went wrong, where, and how to fix it. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof Problem
    ? error
    : new Problem(0, "page-failed", error instanceof Error ? error.message : String(error), "", "reload the page");
  return (
    <div className="state error" role="alert">
      <h2><Words>{problem.detail}</Words></h2>
      <dl className="facts">
        {problem.where ? (
          <>
            <dt>Where</dt>
            <dd>{problem.where}</dd>
          </>
        ) : null}
        {problem.fix ? (
          <>
            <dt>Fix</dt>
            <dd><Words>{problem.fix}</Words></dd>
          </>
        ) : null}
        <dt>Code</dt>
        <dd className="mono">{problem.code}</dd>
      </dl>
      <NextSteps problem={problem} />
      {onRetry && problem.code !== "not-permitted" ? <Retry run={onRetry} /> : null}
    </div>
  );
}
