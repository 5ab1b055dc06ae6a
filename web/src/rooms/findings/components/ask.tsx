import { useId, useState, type ReactNode } from "react";
import { keysOf } from "@/kit/commands";
import { Button } from "@/kit/basics";
import { Dialog } from "@/kit/dialog";

export type Option = { value: string; note?: ReactNode };

type Props = {
  title: string;
  label: string;
  options: readonly Option[];
  /** Whether only the options can be taken, or any text. */
  strict?: boolean;
  /** Asks for a day too. */
  withUntil?: boolean;
  verb: string;
  onTake: (text: string, until: string) => void;
  onClose: () => void;
};

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Asks for a text by keyboard: type to filter or to write, arrows or digits to take what is listed, Enter to go on. */
export function Ask({ title, label, options, strict = false, withUntil = false, verb, onTake, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(strict ? 0 : -1);
  const [until, setUntil] = useState(inDays(90));
  const id = useId();
  const words = typed.trim().toLowerCase();
  const matches = options.filter(({ value }) => value.toLowerCase().includes(words));
  const hasDigits = !options.some(({ value }) => /^\d/.test(value));
  const chosen = matches[Math.min(at, matches.length - 1)]?.value;
  const text = chosen ?? (strict ? "" : typed.trim());
  const isReady = strict ? text !== "" : text.length >= (withUntil || label === "Reason" ? 3 : 1);
  const take = (value: string) => {
    onClose();
    onTake(value, until);
  };
  const step = (by: number) => setAt(Math.max(strict ? 0 : -1, Math.min(matches.length - 1, at + by)));
  const digits = options.slice(0, 9).map(({ value }, n) => [String(n + 1), () => (hasDigits && typed === "" && !withUntil ? take(value) : false)]);
  const keys = keysOf({
    ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: () => (isReady ? take(text) : false),
    ...(Object.fromEntries(digits) as Record<string, () => unknown>),
  });
  return (
    <Dialog open onClose={onClose} label={title} className="ask">
      <div className="ask-body">
      <h2>{title}</h2>
      <div {...keys}>
        <input
          className="field" aria-label={label} placeholder={strict ? "Type to filter" : label} value={ typed} autoFocus data-autofocus
          role="combobox" aria-expanded={matches.length > 0} aria-controls={id} aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(strict ? 0 : -1);
          }}
        />
        <ul id={id} role="listbox" aria-label={`${label} suggestions`} className="ask-list">
          {matches.map(({ value, note }, n) => (
            <li key={value} id={`${id}-${n}`} role="option" aria-selected={n === at} onMouseMove={() => setAt(n)} onMouseDown={() => take(value)}>
              {hasDigits && typed === "" && n < 9 && !withUntil ? <kbd>{n + 1}</kbd> : <span />}
              <span className="cut">{value}</span>
              <span className="dim num">{note}</span>
            </li>
          ))}
          {strict && matches.length === 0 ? <li className="dim">Nothing matches</li> : null}
        </ul>
      </div>
      <footer>
        {withUntil ? <label className="ask-until">Until <input className="field" type="date" aria-label="Until" value={until} min={inDays(1)} onChange={(event) => setUntil(event.target.value)} /></label> : null}
        <Button onClick={onClose}>Cancel</Button>
        <Button look="first" disabled={!isReady || (withUntil && !until)} onClick={() => take(text)}>{verb}</Button>
      </footer>
      </div>
    </Dialog>
  );
}
