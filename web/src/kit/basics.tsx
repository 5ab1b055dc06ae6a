import { IconCheck, IconCopy } from "@tabler/icons-react";
import { type ButtonHTMLAttributes, type ReactNode, useRef, useState } from "react";
import { keysOf, runCommand, useCommand } from "@/kit/commands";
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

type Action = ButtonHTMLAttributes<HTMLButtonElement> & {
  /** The id of the command that it runs; with an `onClick`, it does the same to what it stands beside. */
  command?: string;
};
type ButtonProps = Action & { look?: "plain" | "first" | "quiet"; busy?: boolean };

/** What a button of a command shows and does: the title with the key, and the command's run. */
function useAction(command: string | undefined, { title, onClick }: Pick<Action, "title" | "onClick">, plain?: string) {
  const own = useCommand(command);
  const key = own?.keys?.[0];
  const words = title ?? plain ?? own?.title;
  return {
    title: words && key ? `${words} (${spelled(key)})` : words,
    onClick: onClick ?? (command ? () => runCommand(command) : undefined),
    ...(command ? { "data-command": command } : {}),
  };
}

const spelled = (keys: string): string => caps(keys, MAC).join(keys.includes("+") && keys.length > 1 ? "+" : " ");

export function Button({ look = "plain", busy = false, className = "", disabled, command, title, onClick, ...rest }: ButtonProps) {
  const action = useAction(command, { title, onClick });
  return (
    <button type="button" {...rest} {...action} disabled={disabled || busy} aria-busy={busy} className={`button ${look} ${className}`} />
  );
}

export function IconButton({ label, className = "", command, title, onClick, ...rest }: Action & { label: string }) {
  const action = useAction(command, { title, onClick }, label);
  return <button type="button" aria-label={label} {...rest} {...action} className={`icon-button ${className}`} />;
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
