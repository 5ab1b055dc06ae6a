import { IconGitBranch, IconPackage, IconTag } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { LoggedCommit } from "@/api/schema.gen";
import { Copy, Pill, When } from "@/kit/basics";
import { compact, plural, short } from "@/kit/format";
import { CommitActions, type Act } from "./commit_actions";
import type { GraphRow } from "./graph";
import { GraphCell } from "./graph_cell";

type Props = {
  row: GraphRow<LoggedCommit>;
  lanes: number;
  /** The first parent, where it is listed. */
  before: LoggedCommit | undefined;
  dataset: string;
  kinds: ReadonlyMap<string, string>;
  isCurrent: boolean;
  chosen: boolean;
  canRollBack: boolean;
  onAct: (act: Act) => void;
  onChoose: () => void;
};

/** One commit of the history, with its piece of the graph. */
export function CommitRow({ row, lanes, before, dataset, kinds, isCurrent, chosen, canRollBack, onAct, onChoose }: Props) {
  const { commit } = row;
  const { samples, annotations } = commit.stats;
  const parent = commit.parents[0];
  return (
    <div className="commit" data-chosen={chosen} aria-current={isCurrent}>
      <GraphCell row={row} lanes={lanes} />
      <input type="checkbox" checked={chosen} onChange={onChoose} aria-label={`Compare ${short(commit.id)}`} />
      <div className="commit-text">
        <div className="commit-title">
          <Link to="/d/$dataset" params={{ dataset }} search={{ ref: commit.id.slice(0, 12) }} className="cut commit-message">
            {commit.message || "(no message)"}
          </Link>
          {commit.refs.map((name) => <Pill key={name} tone="accent" icon={<RefIcon name={name} kind={kinds.get(name)} />}>{name}</Pill>)}
        </div>
        <div className="commit-line dim">
          <span>{commit.author}</span>
          <When at={commit.at} />
          {commit.parents.length > 1 ? <span>merge of {commit.parents.map(short).join(" and ")}</span> : null}
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
        <CommitActions commit={commit} canRollBack={canRollBack} onAct={onAct} />
      </div>
    </div>
  );
}

function RefIcon({ name, kind }: { name: string; kind: string | undefined }) {
  const Icon = name.startsWith("release/") ? IconPackage : kind === "tag" ? IconTag : IconGitBranch;
  return <Icon size={12} />;
}

/** How much larger or smaller than its parent. */
function Growth({ commit, before }: { commit: LoggedCommit; before: LoggedCommit | undefined }) {
  const step = (key: "samples" | "annotations") => commit.stats[key] - (before?.stats[key] ?? 0);
  const text = (n: number, word: string) => (n === 0 ? null : <span>{n > 0 ? "+" : "\u2212"}{compact(Math.abs(n))} {word}</span>);
  const growth = [text(step("samples"), "samples"), text(step("annotations"), "annotations")];
  if (commit.parents.length > 0 && !before) return <span className="growth" />;
  return <span className="growth dim">{growth.some(Boolean) ? <>{growth[0]}{growth[1]}</> : "same counts"}</span>;
}
