import { useEffect, useId, useMemo, useRef, useState, type ReactNode } from "react";
import { keysOf } from "@/kit/commands";
import { best } from "@/kit/fuzzy";

export type Pick = { id: string; title: string; group: string; icon?: ReactNode; hint?: ReactNode; chosen?: boolean; run: () => void };

/** A text field over a list in groups: type to narrow, arrows to move, Enter to take. */
export function Picker({ items, placeholder, onDone, empty, label, onType }: {
  items: readonly Pick[];
  placeholder: string;
  label: string;
  empty: string;
  onDone: () => void;
  /** For lists that depend on what is typed. */
  onType?: (typed: string) => void;
}) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const matches = useMemo(() => best(items, typed, (item) => `${item.title} ${item.group}`).slice(0, 60), [items, typed]);
  const active = Math.min(at, Math.max(0, matches.length - 1));

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active, typed]);

  const take = (item: Pick | undefined) => {
    if (!item) return;
    onDone();
    item.run();
  };
  const move = (step: number) => () => matches.length > 0 && setAt((active + step + matches.length) % matches.length);
  return (
    <div className="picker" {...keysOf({ ArrowDown: move(1), ArrowUp: move(-1), Enter: () => take(matches[active]) })}>
      <input
        className="picker-input" placeholder={placeholder} aria-label={label} data-autofocus autoFocus
        role="combobox" aria-expanded aria-controls={id} aria-activedescendant={matches[active] ? `${id}-${active}` : undefined}
        value={typed} spellCheck={false}
        onChange={(event) => {
          setTyped(event.target.value);
          onType?.(event.target.value);
          setAt(0);
        }}
      />
      <ul ref={list} id={id} role="listbox" aria-label={label} className="picker-list">
        {matches.map((item, index) => (
          <li key={item.id} role="presentation">
            {!typed && item.group !== matches[index - 1]?.group ? <div className="picker-group">{item.group}</div> : null}
            <div
              id={`${id}-${index}`} role="option" aria-selected={index === active} tabIndex={-1} className="picker-item"
              onMouseMove={() => setAt(index)} onClick={() => take(item)}
            >
              {item.icon}
              <span className="cut">{item.title}</span>
              {typed ? <span className="dim">{item.group}</span> : null}
              <span className="picker-hint">{item.hint}</span>
            </div>
          </li>
        ))}
        {matches.length === 0 ? <li className="picker-none dim">{empty}</li> : null}
      </ul>
    </div>
  );
}
