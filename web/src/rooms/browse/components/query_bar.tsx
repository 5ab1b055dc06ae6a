import { IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState } from "react";
import { Problem } from "@/api/client";
import type { Overview } from "@/api/schema.gen";
import { atLeast, clauses, equals, nameable, UNLABELLED, without } from "@/api/where";
import { IconButton, KeyHint } from "@/kit/basics";
import { keysOf, useCommands } from "@/kit/commands";
import { plural } from "@/kit/format";
import { Words } from "@/kit/words";
import { QUERY_KEYS } from "../keys";
import { complete, type Word } from "./completions";
import { UnknownValues } from "./unknown_values";
import { useCompletions } from "./use_completions";

type Props = {
  where: string;
  onWhere: (where: string) => void;
  onAdd: (clause: string) => void;
  error: Error | null;
  data: Overview | undefined;
};

/** The query: completed while typed, split into terms, and marked where it cannot be parsed. */
export function QueryBar({ where, onWhere, onAdd, error, data }: Props) {
  const [draft, setDraft] = useState(where);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setDraft(where), [where]);
  useCommands(QUERY_KEYS, { query: () => field.current?.focus() });
  const offered = useCompletions(draft, caret, data, open);
  const id = useId();
  const words = useRef<HTMLUListElement>(null);
  useEffect(() => {
    words.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const take = (word: Word) => {
    const next = complete(draft, caret, word);
    setDraft(next.text);
    setCaret(next.caret);
    setChosen(-1);
    requestAnimationFrame(() => field.current?.setSelectionRange(next.caret, next.caret));
  };
  const apply = () => {
    setOpen(false);
    onWhere(draft.trim());
    field.current?.blur();
  };
  const takeChosen = () => {
    const word = offered[chosen];
    if (word) take(word);
    return word !== undefined;
  };
  const show = () => {
    setOpen(true);
    setChosen(-1);
  };
  const move = (by: number) => () => (open ? setChosen(Math.min(offered.length - 1, Math.max(-1, chosen + by))) : show());
  const leave = () => {
    if (offered.length) return setOpen(false);
    setDraft(where);
    field.current?.blur();
  };
  return (
    <div className="query">
      <div className="query-line">
        <IconSearch size={15} aria-hidden="true" />
        <input
          ref={field} className="query-input mono" value={draft} spellCheck={false} aria-label="Query"
          placeholder={example(data)} role="combobox" aria-expanded={offered.length > 0} aria-controls={`${id}-words`} aria-autocomplete="list"
          aria-activedescendant={offered[chosen] ? `${id}-${chosen}` : undefined}
          aria-invalid={error !== null} aria-describedby={`${id}-error`} autoComplete="off"
          onChange={(event) => {
            setDraft(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            setOpen(true);
            setChosen(-1);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onBlur={() => setOpen(false)}
          {...keysOf({ Enter: () => takeChosen() || apply(), Tab: takeChosen, ArrowDown: move(1), ArrowUp: move(-1), "mod+Space": show, Escape: leave })}
        />
        {draft ? <IconButton label="Clear the query" className="small" onClick={() => onWhere("")}><IconX size={14} /></IconButton> : <KeyHint keys="/" />}
        {offered.length > 0 ? (
          <ul ref={words} id={`${id}-words`} role="listbox" aria-label="Suggestions" className="query-words floating">
            {offered.map((word, at) => (
              <li
                key={word.insert} id={`${id}-${at}`} role="option" aria-selected={at === chosen}
                onMouseDown={(event) => {
                  event.preventDefault();
                  take(word);
                }}
              >
                <code>{word.insert}</code>
                <span className="dim">{word.note}</span>
              </li>
            ))}
          </ul>
        ) : null}
        <span role="status" className="unseen">{offered.length > 0 ? plural(offered.length, "suggestion") : ""}</span>
      </div>
      <QueryError id={`${id}-error`} error={error} draft={where} />
      {error ? null : <UnknownValues where={where} onWhere={onWhere} />}
      <Chips where={where} onWhere={onWhere} onAdd={onAdd} data={data} />
    </div>
  );
}

function QueryError({ id, error, draft }: { id: string; error: Error | null; draft: string }) {
  const problem = error instanceof Problem ? error : null;
  const column = Number(/column (\d+)/.exec(problem?.where ?? "")?.[1] ?? 0);
  const rest = draft.slice(Math.max(0, column - 1));
  const word = /^(?:"[^"]*"?|[\p{L}\p{N}_.\-:/]+|.)/u.exec(rest)?.[0] ?? " ";
  if (!error) return <div id={id} hidden />;
  return (
    <div id={id} role="alert" className="query-error">
      {column ? (
        <pre aria-hidden="true">{draft.slice(0, column - 1)}<mark>{word}</mark>{rest.slice(word.length)}</pre>
      ) : null}
      <p>
        <strong><Words>{problem?.detail ?? error.message}</Words></strong>
        {problem?.where ? ` (${problem.where})` : ""}
      </p>
      {problem?.fix ? <p><Words>{problem.fix}</Words></p> : null}
    </div>
  );
}

/** The terms of the query, each removable; without a query, a few examples. */
function Chips({ where, onWhere, onAdd, data }: Omit<Props, "error">) {
  if (where) {
    const parts = clauses(where);
    if (parts.length < 2) return null;
    return (
      <ul className="chips" aria-label="Query terms">
        {parts.map((part) => (
          <li key={part}>
            <button type="button" className="chip on" onClick={() => onWhere(without(where, part))} aria-label={`Remove ${part}`}>
              <code>{part}</code> <IconX size={12} />
            </button>
          </li>
        ))}
      </ul>
    );
  }
  const ideas = data ? suggestions(data) : [];
  if (ideas.length === 0) return null;
  return (
    <ul className="chips" aria-label="Example queries">
      {ideas.map(({ clause, note }) => (
        <li key={clause}>
          <button type="button" className="chip" onClick={() => onAdd(clause)} title={note}><code>{clause}</code></button>
        </li>
      ))}
    </ul>
  );
}

/** An example that fits this dataset. */
function example(data: Overview | undefined): string {
  const ideas = data ? suggestions(data) : [];
  return ideas.length ? ideas.slice(-2).map((one) => one.clause).join(" and ") : 'class = "car"';
}

function suggestions(data: Overview): { clause: string; note: string }[] {
  const most = [...data.classes].sort((a, b) => b.annotations - a.annotations)[0];
  const rare = [...data.classes].filter((one) => one.samples > 0).sort((a, b) => a.samples - b.samples)[0];
  const ideas: { clause: string; note: string }[] = [];
  for (const field of data.fields) {
    const value = field.top.at(-1);
    if (value && field.distinct > 1 && field.distinct <= 12 && nameable(field.name) && ideas.length < 2) {
      ideas.push({ clause: equals(field.name, value.value), note: plural(value.count, "sample") });
    }
  }
  const perSample = most && most.samples ? Math.ceil(most.annotations / most.samples) : 1;
  if (most && perSample > 1) ideas.push({ clause: atLeast(most.name, perSample), note: `samples with many ${most.name} annotations` });
  if (rare) ideas.push({ clause: `classes has "${rare.name}"`, note: plural(rare.samples, "sample") });
  if (data.unlabelled) ideas.push({ clause: UNLABELLED, note: `${plural(data.unlabelled, "sample")} without annotations` });
  return ideas;
}
