import { IconArrowsDiff, IconGitBranch, IconGitCommit, IconTag } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { LoggedCommit } from "@/api/schema.gen";
import { Button, CommandLine, Copy, Loading, Pill, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { compact, plural, short } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import * as api from "../api";
import { CommitActions } from "../components/commit_actions";
import { CommitBox } from "../components/commit_box";
import { HISTORY_KEYS } from "../keys";
import "./history.css";

/** Commits, newest first, below the uncommitted changes; two of them can be compared. */
export function HistoryPage() {
  const { dataset, ref } = useDataset();
  const query = useQuery(api.log(dataset, ref));
  const refs = useQuery(api.refs(dataset));
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string[]>([]);
  const items = query.data?.items ?? [];
  const kinds = new Map((refs.data?.items ?? []).map((one) => [one.name, one.kind]));

  const choose = (id: string) =>
    setChosen((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before.slice(-1), id]));
  const compare = () => {
    if (chosen.length !== 2) return;
    const order = items.map((one) => one.id);
    const [newer = "", older = ""] = [...chosen].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    void navigate({ to: "/d/$dataset/diff", params: { dataset }, search: { a: older.slice(0, 12), b: newer.slice(0, 12) } });
  };
  useCommands(HISTORY_KEYS, { "history.compare": compare });
  return (
    <Page
      title="History"
      meta={query.data ? <span>{plural(items.length, "commit")}</span> : null}
      actions={<>
        <CopyAs panel="history" shown={{ dataset, ref }} />
        <Button onClick={compare} disabled={chosen.length !== 2} title="Select two commits to compare">
          <IconArrowsDiff size={14} /> {chosen.length === 2 ? "Compare" : `Compare (${chosen.length} of 2)`}
        </Button>
      </>}
    >
      {query.isPending ? <Loading what="the history" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.data?.dirty ? <CommitBox dataset={dataset} changes={query.data.changes} head={items[0]?.id} /> : null}
      {query.data && items.length === 0 && !query.data.dirty ? (
        <EmptyState title="No commits yet" icon={<IconGitCommit size={26} stroke={1.5} />}>
          <p>A commit is a permanent snapshot of samples and annotations. Add data, then commit it:</p>
          <CommandLine>{`calotype commit ${dataset} -m "first import"`}</CommandLine>
        </EmptyState>
      ) : null}
      {items.length ? (
        <ol className="commits">
          {items.map((commit, at) => (
            <CommitRow
              key={commit.id} commit={commit} before={items[at + 1]} dataset={dataset} kinds={kinds}
              isHead={at === 0 && !ref} dirty={query.data?.dirty ?? false} chosen={chosen.includes(commit.id)} onChoose={() => choose(commit.id)}
            />
          ))}
        </ol>
      ) : null}
    </Page>
  );
}

function CommitRow({ commit, before, dataset, kinds, chosen, isHead, dirty, onChoose }: {
  commit: LoggedCommit;
  before: LoggedCommit | undefined;
  dataset: string;
  kinds: ReadonlyMap<string, string>;
  chosen: boolean;
  isHead: boolean;
  dirty: boolean;
  onChoose: () => void;
}) {
  const { samples, annotations } = commit.stats;
  const parent = commit.parents[0];
  return (
    <li className="commit" data-chosen={chosen}>
      <input type="checkbox" checked={chosen} onChange={onChoose} aria-label={`Compare ${short(commit.id)}`} />
      <div className="commit-text">
        <div className="commit-title">
          <Link to="/d/$dataset" params={{ dataset }} search={{ ref: commit.id.slice(0, 12) }} className="cut commit-message">
            {commit.message || "(no message)"}
          </Link>
          {commit.refs.map((name) => (
            <Pill key={name} tone="accent" icon={kinds.get(name) === "tag" ? <IconTag size={12} /> : <IconGitBranch size={12} />}>{name}</Pill>
          ))}
        </div>
        <div className="commit-line dim">
          <span>{commit.author}</span>
          <When at={commit.at} />
          <span>{plural(samples, "sample")}</span>
          <span>{plural(annotations, "annotation")}</span>
        </div>
      </div>
      <Growth commit={commit} before={before} />
      <div className="commit-side">
        {parent ? (
          <Link to="/d/$dataset/diff" params={{ dataset }} search={{ a: parent.slice(0, 12), b: commit.id.slice(0, 12) }} className="link">View changes</Link>
        ) : null}
        <span className="mono dim">{short(commit.id)}</span>
        <Copy text={commit.id} label={`Copy the ID of ${short(commit.id)}`} />
        <CommitActions dataset={dataset} commit={commit} isHead={isHead} dirty={dirty} />
      </div>
    </li>
  );
}

/** How much larger or smaller than the previous commit. */
function Growth({ commit, before }: { commit: LoggedCommit; before: LoggedCommit | undefined }) {
  const step = (key: "samples" | "annotations") => commit.stats[key] - (before?.stats[key] ?? 0);
  const text = (n: number, word: string) => (n === 0 ? null : <span>{n > 0 ? "+" : "\u2212"}{compact(Math.abs(n))} {word}</span>);
  const growth = [text(step("samples"), "samples"), text(step("annotations"), "annotations")];
  return <span className="growth dim">{growth.some(Boolean) ? <>{growth[0]}{growth[1]}</> : "same counts"}</span>;
}
