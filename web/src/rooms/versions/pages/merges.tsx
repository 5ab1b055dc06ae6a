import { IconGitMerge } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { Merge } from "@/api/schema.gen";
import { CommandLine, Loading, Pill, When, type Tone } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import { Conflicts } from "../components/conflicts";
import "./merges.css";

const WORDS: Record<Merge["state"], string> = { open: "conflicts", landed: "merged", abandoned: "abandoned" };
const TONES: Record<Merge["state"], Tone> = { open: "warn", landed: "good", abandoned: "plain" };

/** Merges of branches, and their open conflicts. */
export function MergesPage() {
  const { dataset } = useDataset();
  const { merge } = useSearch({ from: "/d/$dataset/merges" });
  const query = useQuery(api.merges(dataset));
  const items = query.data?.items ?? [];
  const chosen = items.find((one) => one.merge === merge);
  return (
    <Page
      title={chosen ? sourceText(chosen) : "Merges"} withRef={false} meta={chosen ? <State merge={chosen} /> : plural(items.length, "merge")}
      actions={<CopyAs panel="merges" shown={{ dataset }} />}
      crumbs={chosen ? <><Link to="/d/$dataset/merges" params={{ dataset }} search={{}} className="crumb">Merges</Link><span className="slash" aria-hidden="true">/</span></> : undefined}
    >
      {query.isPending ? <Loading what="the merges" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.data && items.length === 0 ? (
        <EmptyState title="No merges yet" icon={<IconGitMerge size={26} stroke={1.5} />}>
          <p>Commit on a branch, then merge it. Conflicts appear here for you to resolve.</p>
          <CommandLine>{`calotype merge ${dataset} BRANCH`}</CommandLine>
        </EmptyState>
      ) : null}
      {chosen ? <Conflicts key={chosen.merge} dataset={dataset} merge={chosen} /> : items.length ? <List dataset={dataset} items={items} /> : null}
    </Page>
  );
}

function List({ dataset, items }: { dataset: string; items: Merge[] }) {
  return (
    <Panel className="table wide">
      <table className="rows">
        <thead><tr><th>Source</th><th>Into</th><th>State</th><th className="num">Conflicts</th><th>When</th><th>By</th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.merge} className="goes">
              <td><Link to="/d/$dataset/merges" params={{ dataset }} search={{ merge: one.merge }} className="link-plain">{sourceText(one)}</Link></td>
              <td>{one.into}</td>
              <td><State merge={one} /></td>
              <td className="num">{count(one.counts.conflicts)}</td>
              <td><When at={one.at} /></td>
              <td className="dim">{one.by}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function State({ merge }: { merge: Merge }) {
  return <Pill tone={TONES[merge.state]}>{WORDS[merge.state]}</Pill>;
}

const sourceText = ({ source }: Merge): string => (source.startsWith("undo:") ? `Undo of ${source.slice(5, 13)}` : source);
