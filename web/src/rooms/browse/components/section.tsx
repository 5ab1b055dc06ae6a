import type { ReactNode } from "react";
import { Copy } from "@/kit/basics";

/** A part of the inspector. */
export function Section({ title, meta, children, className = "" }: { title: string; meta?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section aria-label={title} className={className}>
      <header>
        <h2>{title}</h2>
        <span className="dim section-meta">{meta}</span>
      </header>
      {children}
    </section>
  );
}

/** A part of the inspector that is opened when it is needed. */
export function Fold({ title, meta, open, onToggle, children }: { title: string; meta?: ReactNode; open: boolean; onToggle: (open: boolean) => void; children: ReactNode }) {
  return (
    <details className="fold" open={open} onToggle={(event) => event.currentTarget.open !== open && onToggle(event.currentTarget.open)}>
      <summary>
        <h2>{title}</h2>
        <span className="dim section-meta">{meta}</span>
      </summary>
      {open ? children : null}
    </details>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Id({ text, label }: { text: string; label: string }) {
  return (
    <span className="id">
      <span className="mono">{text.slice(0, 12)}…</span>
      <Copy text={text} label={label} />
    </span>
  );
}
