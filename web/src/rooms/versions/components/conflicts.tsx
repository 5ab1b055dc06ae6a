import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { datasetChanged } from "@/api/cache";
import type { Merge, MergeConflict } from "@/api/schema.gen";
import { Button, KeyHint, Loading, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { EmptyState, ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { MERGE_KEYS } from "../keys";
import { kindText } from "./conflict_rows";
import { Sides } from "./sides";

const CHOICES = [
  { how: "ours", label: "Ours" },
  { how: "theirs", label: "Theirs" },
  { how: "union", label: "Both" },
  { how: "base", label: "Base" },
  { how: "review", label: "Review later" },
] as const;

/** The conflicts of one merge: the list, the selected one side by side, and the ways to resolve it. */
export function Conflicts({ dataset, merge }: { dataset: string; merge: Merge }) {
  const { at = 0 } = useSearch({ from: "/d/$dataset/merges" });
  const navigate = useNavigate({ from: "/d/$dataset/merges" });
  const client = useQueryClient();
  const query = useQuery(api.merge(dataset, merge.merge));
  const items = query.data?.items ?? [];
  const place = Math.min(at, Math.max(0, items.length - 1));
  const selected = items[place];
  const isOpen = merge.state === "open";
  const go = (to: number) => void navigate({ search: (before) => ({ ...before, at: Math.min(items.length - 1, Math.max(0, to)) }), replace: true });
  const fresh = () => datasetChanged(client, dataset);
  const choosing = useMutation({
    mutationFn: ({ how, which }: { how: string; which: number[] }) => api.resolve(dataset, merge.merge, how, which),
    onSuccess: async () => {
      const next = items.findIndex((one, n) => n > place && one.state === "open");
      if (next >= 0) go(next);
      await fresh();
    },
  });
  const ending = useMutation({
    mutationFn: (how: "land" | "abandon") => (how === "land" ? api.land(dataset, merge.merge) : api.abandon(dataset, merge.merge)),
    onSuccess: async (_, how) => {
      say(how === "land" ? `Merged into ${merge.into}` : "Merge abandoned; both branches are unchanged");
      await fresh();
    },
  });
  const choose = (how: string) => selected && isOpen && choosing.mutate({ how, which: [selected.position] });
  useCommands(MERGE_KEYS, {
    "merge.next": () => go(place + 1),
    "merge.previous": () => go(place - 1),
    "merge.ours": () => choose("ours"),
    "merge.theirs": () => choose("theirs"),
    "merge.union": () => choose("union"),
    "merge.base": () => choose("base"),
    "merge.review": () => choose("review"),
    "merge.land": () => isOpen && query.data?.open === 0 && ending.mutate("land"),
    "merge.abandon": () => isOpen && ending.mutate("abandon"),
  });
  if (query.isPending) return <Loading what="the conflicts" />;
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!selected) return <EmptyState title="No conflicts"><p>The branches merged cleanly.</p></EmptyState>;
  const error = choosing.error ?? ending.error;
  return (
    <div className="merge">
      <ul className="merge-list" aria-label="Conflicts">
        {items.map((one, n) => <li key={one.position}><Line conflict={one} isSelected={n === place} onChoose={() => go(n)} /></li>)}
      </ul>
      <section className="merge-one" aria-label={`Conflict ${selected.position}`}>
        <header>
          <h2>{kindText(selected.kind)}</h2>
          <span className="dim">{selected.table} {selected.fields.join(", ")}</span>
        </header>
        <Sides dataset={dataset} merge={query.data} conflict={selected} />
        {error ? <ErrorState error={error} /> : null}
        {isOpen ? (
          <footer>
            {CHOICES.map(({ how, label }) => (
              <Button key={how} command={`merge.${how}`} aria-pressed={selected.resolution === how} busy={choosing.isPending}>{label} <KeyHint keys={MERGE_KEYS[`merge.${how}`].keys[0] ?? ""} /></Button>
            ))}
            <span className="merge-end">
              <Button look="quiet" command="merge.abandon" busy={ending.isPending}>Abandon</Button>
              <Button look="first" command="merge.land" busy={ending.isPending} disabled={query.data.open > 0}>
                {query.data.open ? `${count(query.data.open)} unresolved` : `Merge into ${merge.into}`}
              </Button>
            </span>
          </footer>
        ) : null}
      </section>
    </div>
  );
}

function Line({ conflict, isSelected, onChoose }: { conflict: MergeConflict; isSelected: boolean; onChoose: () => void }) {
  const { resolution } = conflict;
  return (
    <button type="button" className="merge-line" aria-current={isSelected} onClick={onChoose}>
      <span className="dim tabular">{conflict.position}</span>
      <span className="cut">{conflict.fields.join(", ") || kindText(conflict.kind)}</span>
      {conflict.state === "open" ? <Pill tone="warn">open</Pill> : <Pill tone={conflict.state === "review" ? "accent" : "good"}>{conflict.state === "review" ? "review" : typeof resolution === "string" ? resolution : "by field"}</Pill>}
    </button>
  );
}
