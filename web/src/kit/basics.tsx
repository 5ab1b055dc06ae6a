import { IconCheck, IconCopy } from "@tabler/icons-react";
import { type ButtonHTMLAttributes, type ReactNode, useRef, useState } from "react";
import { keysOf } from "@/kit/commands";
import { ago, moment } from "@/kit/format";
import { caps } from "@/kit/keys";

const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys of a command, as small caps beside it. */
export function KeyHint({ keys }: { keys: string }) {
  return (
    <span className="keys" aria-hidden="true">
      {caps(keys, MAC).map((cap, at) => (
        <kbd key={at}>{cap}</kbd>
      ))}
    </span>
  );
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { look?: "plain" | "first" | "quiet"; busy?: boolean };

export function Button({ look = "plain", busy = false, className = "", disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} disabled={disabled || busy} aria-busy={busy} className={`button ${look} ${className}`} />
  );
}

export function IconButton({ label, className = "", ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { label: string }) {
  return <button type="button" aria-label={label} title={label} {...rest} className={`icon-button ${className}`} />;
}

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

export function Pill({ tone = "plain", icon, children, title }: { tone?: Tone; icon?: ReactNode; children: ReactNode; title?: string }) {
  return (
    <span className={`pill ${tone}`} title={title}>
      {icon}
      {children}
    </span>
  );
}

/** One of a few. */
export function Segmented<T extends string>({ label, value, options, onChange }: {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode; name?: string }[];
  onChange: (value: T) => void;
}) {
  const group = useRef<HTMLDivElement>(null);
  const move = (by: number) => () => {
    const at = (options.findIndex((option) => option.value === value) + by + options.length) % options.length;
    const next = options[at];
    if (next) onChange(next.value);
    (group.current?.children[at] as HTMLElement | undefined)?.focus();
  };
  return (
    <div ref={group} className="segmented" role="radiogroup" aria-label={label} {...keysOf({ ArrowLeft: move(-1), ArrowUp: move(-1), ArrowRight: move(1), ArrowDown: move(1) })}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          aria-label={option.name}
          title={option.name}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function When({ at }: { at: string }) {
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at, Date.now())}
    </time>
  );
}

/** Copies its text to the clipboard. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1200);
  };
  return (
    <IconButton label={done ? "Copied" : label} onClick={() => void copy()} className="small">
      {done ? <IconCheck size={14} /> : <IconCopy size={14} />}
    </IconButton>
  );
}

/** A line to type into a terminal. */
export function CommandLine({ children }: { children: string }) {
  return (
    <div className="command-line">
      <span className="prompt" aria-hidden="true">$</span>
      <code>{children}</code>
      <Copy text={children} label="Copy the command" />
    </div>
  );
}

export function Stat({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="stat">
      <dt>{label}</dt>
      <dd>
        {value}
        {note ? <span className="note">{note}</span> : null}
      </dd>
    </div>
  );
}

export function Skeleton({ height = 14, width = "100%" }: { height?: number; width?: number | string }) {
  return <span className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

/** Grey lines while a page loads. */
export function Loading({ what, rows = 8 }: { what: string; rows?: number }) {
  return (
    <div className="loading" role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: rows }, (_, at) => (
        <Skeleton key={at} height={14} width={`${88 - ((at * 23) % 47)}%`} />
      ))}
    </div>
  );
}
