import { IconArrowsDiff, IconGitCommit } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { Button, CommandLine, Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { branchOf, MAIN } from "@/kit/branch";
import { CopyAs } from "@/kit/copy_as";
import { plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import { VirtualRows } from "@/kit/virtual";
import * as api from "../api";
import { CommitDialogs, type Act } from "../components/commit_actions";
import { CommitBox } from "../components/commit_box";
import { CommitRow } from "../components/commit_row";
import { layOut } from "../components/graph";
import { HISTORY_KEYS } from "../keys";
import "./history.css";

const ROW = 55;

/** The commits of all branches and tags, or of the ref in the address, as a graph; two of them can be compared. */
export function HistoryPage() {
  const { dataset, ref } = useDataset();
  const query = useQuery(api.graph(dataset, ref));
  const refs = useQuery(api.refs(dataset));
  const data = query.data;
  const { rows, lanes } = useMemo(() => layOut(data?.items ?? []), [data]);
  const byId = useMemo(() => new Map(data?.items.map((one) => [one.id, one])), [data]);
  const kinds = new Map((refs.data?.items ?? []).map((one) => [one.name, one.kind]));
  const branch = branchOf(ref) ?? MAIN;
  const head = refs.data?.items.find(({ name, kind }) => name === branch && kind === "branch")?.commit;
  const ids = rows.map(({ commit }) => commit.id);
  const [act, setAct] = useState<Act | null>(null);
  const dirty = data?.dirty ?? false;
  const canRollBack = (id: string) => branchOf(ref) !== null && (id !== head || dirty);
  const { at, chosen, choose } = useHistoryKeys(ids, (id) => byId.get(id)?.parents[0], (next) => {
    if (next.what === "rollback" && !canRollBack(next.commit)) say(branchOf(ref) === null ? "Switch to a branch first (b)" : "This is the last commit already");
    else setAct(next);
  });
  return (
    <Page
      title="History" flush
      meta={data ? <span>{rows.length >= api.MOST_COMMITS ? `the newest ${api.MOST_COMMITS.toLocaleString("en")} commits` : plural(rows.length, "commit")}</span> : null}
      actions={<>
        <CopyAs panel="history" shown={{ dataset, ref }} />
        <Button command="history.compare" disabled={chosen.length !== 2} title="Select two commits to compare">
          <IconArrowsDiff size={14} /> {chosen.length === 2 ? "Compare" : `Compare (${chosen.length} of 2)`}
        </Button>
      </>}
    >
      <div className="history">
        {query.isPending ? <Loading what="the history" /> : null}
        {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
        {data?.dirty ? <CommitBox dataset={dataset} branch={branch} changes={data.changes} head={head ?? undefined} /> : null}
        {data && rows.length === 0 && !data.dirty ? (
          <EmptyState title="No commits yet" icon={<IconGitCommit size={26} stroke={1.5} />}>
            <p>A commit is a permanent snapshot of samples and annotations. Add data, then commit it:</p>
            <CommandLine>{`calotype commit ${dataset} -m "first import"`}</CommandLine>
          </EmptyState>
        ) : null}
        <CommitDialogs dataset={dataset} branch={branch} act={act} commit={byId.get(act?.commit ?? "")} dirty={dirty} onDone={() => setAct(null)} />
        {rows.length ? (
          <VirtualRows
            total={rows.length} height={ROW} label="Commits" at={at}
            row={(index) => {
              const row = rows[index];
              if (!row) return null;
              const { id, parents } = row.commit;
              return (
                <CommitRow
                  row={row} lanes={lanes} before={byId.get(parents[0] ?? "")} dataset={dataset} kinds={kinds} isCurrent={index === at}
                  canRollBack={canRollBack(id)} onAct={setAct} chosen={chosen.includes(id)} onChoose={() => choose(id)}
                />
              );
            }}
          />
        ) : null}
      </div>
    </Page>
  );
}

/** The commit that the keys have selected, which is in the address, and up to two that are compared. */
function useHistoryKeys(ids: readonly string[], parentOf: (id: string) => string | undefined, onAct: (act: Act) => void) {
  const { dataset } = useDataset();
  const { commit = "" } = useSearch({ from: "/d/$dataset/history" });
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string[]>([]);
  const at = commit ? ids.findIndex((id) => id.startsWith(commit)) : -1;
  const current = ids[at];
  const go = (to: number) => {
    const id = ids[Math.min(ids.length - 1, Math.max(0, to))];
    if (id) void navigate({ from: "/d/$dataset/history", replace: true, search: (before) => ({ ...before, commit: id.slice(0, 12) }) });
  };
  const choose = (id: string) => setChosen((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before.slice(-1), id]));
  const diff = (a: string, b: string) => void navigate({ to: "/d/$dataset/diff", params: { dataset }, search: { a: a.slice(0, 12), b: b.slice(0, 12) } });
  const compare = () => {
    const [newer, older] = chosen.toSorted((a, b) => ids.indexOf(a) - ids.indexOf(b));
    if (newer && older) diff(older, newer);
  };
  useCommands(HISTORY_KEYS, {
    "history.next": () => go(at + 1),
    "history.previous": () => go(at - 1),
    "history.first": () => go(0),
    "history.last": () => go(ids.length - 1),
    "history.open": () => {
      if (current) void navigate({ to: "/d/$dataset", params: { dataset }, search: { ref: current.slice(0, 12) } });
    },
    "history.changes": () => {
      const parent = current && parentOf(current);
      if (parent) diff(parent, current);
    },
    "history.choose": () => {
      if (current) choose(current);
    },
    "history.approve": () => (current ? onAct({ what: "approve", commit: current }) : say("Select a commit first (j)")),
    "history.tag": () => (current ? onAct({ what: "tag", commit: current }) : say("Select a commit first (j)")),
    "history.rollback": () => (current ? onAct({ what: "rollback", commit: current }) : say("Select a commit first (j)")),
    "history.compare": compare,
  });
  return { at, chosen, choose };
}
