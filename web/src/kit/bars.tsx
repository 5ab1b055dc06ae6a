import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Histogram } from "@/api/schema.gen";
import { compact, count, measured } from "@/kit/format";

export type BarItem = {
  key: string;
  label: ReactNode;
  /** For people who cannot see the bar. */
  name: string;
  value: number;
  note?: ReactNode;
  colour?: string;
  link?: Pick<LinkProps, "to" | "params" | "search">;
};

/** Rows with a bar behind the number; a row leads to what it counts. */
export function Bars({ items, max, label }: { items: readonly BarItem[]; max?: number; label: string }) {
  const most = max ?? Math.max(1, ...items.map((item) => item.value));
  return (
    <ul className="bars" aria-label={label}>
      {items.map((item) => {
        const inner = (
          <>
            <span className="bar-label">
              {item.colour ? <i className="dot" style={{ background: item.colour }} /> : null}
              <span className="cut">{item.label}</span>
            </span>
            <span className="bar-track" aria-hidden="true">
              <i style={{ width: `${Math.max(item.value ? 0.6 : 0, (100 * item.value) / most)}%` }} />
            </span>
            <span className="bar-value num">{count(item.value)}</span>
            {item.note !== undefined ? <span className="bar-note num dim">{item.note}</span> : null}
          </>
        );
        return (
          <li key={item.key}>
            {item.link ? (
              <Link {...item.link} className="bar-row" title={item.name}>
                {inner}
              </Link>
            ) : (
              <div className="bar-row">{inner}</div>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** Columns of a histogram; each leads to the samples in its range. */
export function HistogramBars({ histogram, link, name }: {
  histogram: Histogram;
  name: string;
  link: (low: number, high: number, isLast: boolean) => Pick<LinkProps, "to" | "params" | "search">;
}) {
  const { counts, edges } = histogram;
  const most = Math.max(1, ...counts);
  return (
    <div className="histogram">
      <div className="histogram-columns">
        {counts.map((n, at) => {
          const [low, high] = [edges[at] ?? 0, edges[at + 1] ?? 0];
          const words = `${name} ${measured(low)} to ${measured(high)}: ${count(n)}`;
          const column = <i style={{ height: `${n ? Math.max(3, (100 * n) / most) : 0}%` }} />;
          return n ? (
            <Link key={at} {...link(low, high, at === counts.length - 1)} aria-label={words} title={words} className="column">
              {column}
            </Link>
          ) : (
            <span key={at} className="column" />
          );
        })}
      </div>
      <div className="histogram-axis dim" aria-hidden="true">
        <span>{measured(edges[0] ?? 0)}</span>
        <span>max {compact(most)}</span>
        <span>{measured(edges.at(-1) ?? 0)}</span>
      </div>
    </div>
  );
}

/** One line split into shares. */
export function Shares({ items, label }: { items: readonly { key: string; value: number; name: string }[]; label: string }) {
  const total = items.reduce((sum, item) => sum + item.value, 0) || 1;
  return (
    <div className="shares" role="img" aria-label={`${label}: ${items.map((i) => `${i.name} ${count(i.value)}`).join(", ")}`}>
      {items.map((item, at) => (
        <i key={item.key} data-at={at % 5} style={{ flexGrow: item.value / total }} title={`${item.name}: ${count(item.value)}`} />
      ))}
    </div>
  );
}
