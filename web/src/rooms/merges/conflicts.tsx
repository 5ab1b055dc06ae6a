import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { part, send } from "@/api/client";
import * as queries from "@/api/queries";
import type { Conflict, Merge } from "@/api/types_merge";
import { useCommands } from "@/app/commands";
import { Button, KeyHint, Loading, Pill } from "@/kit/basics";
import { count } from "@/kit/format";
import { EmptyState, ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import { kindText } from "@/rooms/merges/rows";
import { Sides } from "@/rooms/merges/sides";

const CHOICES = [
  { how: "ours", label: "Ours", key: "o" },
  { how: "theirs", label: "Theirs", key: "t" },
  { how: "union", label: "Both", key: "u" },
  { how: "base", label: "As before", key: "b" },
  { how: "review", label: "For review", key: "r" },
] as const;

/** The conflicts of one merge: the list, the one in hand side by side, the choices, and the landing. */
export function Conflicts({ dataset, merge }: { dataset: string; merge: Merge }) {
  const { at = 0 } = useSearch({ from: "/d/$dataset/merges" });
  const navigate = useNavigate({ from: "/d/$dataset/merges" });
  const client = useQueryClient();
  const found = useQuery(queries.merge(dataset, merge.merge));
  const items = found.data?.items ?? [];
  const place = Math.min(at, Math.max(0, items.length - 1));
  const inHand = items[place];
  const isOpen = merge.state === "open";
  const address = `/datasets/${part(dataset)}/merges/${merge.merge}`;
  const go = (to: number) => void navigate({ search: (before) => ({ ...before, at: Math.min(items.length - 1, Math.max(0, to)) }), replace: true });
  const fresh = () => Promise.all([["d", dataset], ["datasets"]].map((queryKey) => client.invalidateQueries({ queryKey })));
  const choosing = useMutation({
    mutationFn: ({ how, which }: { how: string; which: number[] | "all" }) => send(`${address}/choices`, { how, which }),
    onSuccess: async () => {
      const next = items.findIndex((one, n) => n > place && one.state === "open");
      if (next >= 0) go(next);
      await fresh();
    },
  });
  const ending = useMutation({
    mutationFn: (how: "land" | "abandon") => (how === "land" ? send(`${address}/landing`) : send(address, {}, "DELETE")),
    onSuccess: async (_, how) => {
      say(how === "land" ? `Merged into ${merge.into}` : "Given up; both branches are as they were");
      await fresh();
    },
  });
  const choose = (how: string) => inHand && isOpen && choosing.mutate({ how, which: [inHand.position] });
  useCommands([
    { id: "merge.next", title: "Next conflict", group: "Page", keys: ["j"], run: () => go(place + 1) },
    { id: "merge.previous", title: "Previous conflict", group: "Page", keys: ["k"], run: () => go(place - 1) },
    ...CHOICES.map(({ how, label, key }) => ({ id: `merge.${how}`, title: `Settle: ${label}`, group: "Page", keys: [key], run: () => void choose(how) })),
  ]);
  if (found.isPending) return <Loading what="the conflicts" />;
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!inHand) return <EmptyState title="No conflict"><p>Both sides went together by themselves.</p></EmptyState>;
  const error = choosing.error ?? ending.error;
  return (
    <div className="merge">
      <ul className="merge-list" aria-label="Conflicts">
        {items.map((one, n) => <li key={one.position}><Line conflict={one} isInHand={n === place} onChoose={() => go(n)} /></li>)}
      </ul>
      <section className="merge-one" aria-label={`Conflict ${inHand.position}`}>
        <header>
          <h2>{kindText(inHand.kind)}</h2>
          <span className="dim">{inHand.table} {inHand.fields.join(", ")}</span>
        </header>
        <Sides dataset={dataset} merge={found.data} conflict={inHand} />
        {error ? <ErrorState error={error} /> : null}
        {isOpen ? (
          <footer>
            {CHOICES.map(({ how, label, key }) => (
              <Button key={how} onClick={() => choose(how)} aria-pressed={inHand.resolution === how} busy={choosing.isPending}>{label} <KeyHint keys={key} /></Button>
            ))}
            <span className="merge-end">
              <Button look="quiet" onClick={() => ending.mutate("abandon")} busy={ending.isPending}>Give up</Button>
              <Button look="first" onClick={() => ending.mutate("land")} busy={ending.isPending} disabled={found.data.open > 0}>
                {found.data.open ? `${count(found.data.open)} open` : `Land on ${merge.into}`}
              </Button>
            </span>
          </footer>
        ) : null}
      </section>
    </div>
  );
}

function Line({ conflict, isInHand, onChoose }: { conflict: Conflict; isInHand: boolean; onChoose: () => void }) {
  const { resolution } = conflict;
  return (
    <button type="button" className="merge-line" aria-current={isInHand} onClick={onChoose}>
      <span className="dim tabular">{conflict.position}</span>
      <span className="cut">{conflict.fields.join(", ") || kindText(conflict.kind)}</span>
      {conflict.state === "open" ? <Pill tone="warn">open</Pill> : <Pill tone={conflict.state === "review" ? "accent" : "good"}>{conflict.state === "review" ? "review" : typeof resolution === "string" ? resolution : "by field"}</Pill>}
    </button>
  );
}
