import { IconPackage, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ReleaseRow } from "@/api/schema.gen";
import { Shares } from "@/kit/bars";
import { Button, CommandLine, Loading, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { count, plural, short } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { GateSummary } from "@/kit/gates";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import { ReleaseForm } from "../components/release_form";
import { RELEASES_KEYS } from "../keys";
import "./release.css";

/** The released versions of a dataset. */
export function ReleasesPage() {
  const { dataset } = useDataset();
  const query = useQuery(api.releases(dataset));
  const items = query.data?.items ?? [];
  const [open, setOpen] = useState(false);
  useCommands(RELEASES_KEYS, { "release.make": () => setOpen(true) });
  return (
    <Page
      title="Releases" withRef={false} meta={query.data ? plural(items.length, "release") : null}
      actions={<><CopyAs panel="releases" shown={{ dataset }} /><Button look="first" command="release.make" disabled={!query.data}><IconPlus size={14} /> New release</Button></>}
    >
      <Dialog open={open} onClose={() => setOpen(false)} label="New release">
        <ReleaseForm dataset={dataset} versions={items.map((row) => row.version)} onDone={() => setOpen(false)} />
      </Dialog>
      {query.isPending ? <Loading what="the releases" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.data && items.length === 0 ? (
        <EmptyState title="No releases yet" icon={<IconPackage size={26} stroke={1.5} />}>
          <p>
            A release is a commit that passed its gates, with splits, a data card and files in the formats you choose. A gate
            that is not green stops it.
          </p>
          <CommandLine>{`calotype release ${dataset} 1.0.0 --split train=.8,val=.1,test=.1`}</CommandLine>
        </EmptyState>
      ) : null}
      {items.length ? (
        <Panel className="table wide">
          <table className="rows">
            <thead>
              <tr><th>Version</th><th>Gates</th><th className="num">Samples</th><th className="num">Annotations</th><th>Splits</th><th>Commit</th><th>Created</th></tr>
            </thead>
            <tbody>{items.map((row) => <Row key={row.version} row={row} dataset={dataset} />)}</tbody>
          </table>
        </Panel>
      ) : null}
    </Page>
  );
}

function Row({ row, dataset }: { row: ReleaseRow; dataset: string }) {
  const splits = Object.entries(row.splits).map(([name, value]) => ({ key: name, name: name || "no split", value }));
  return (
    <tr className="goes">
      <td><Link to="/d/$dataset/releases/$version" params={{ dataset, version: row.version }} className="release-link">{row.version}</Link></td>
      <td><GateSummary gates={row.gates} /></td>
      <td className="num">{count(row.samples)}</td>
      <td className="num">{count(row.annotations)}</td>
      <td className="release-splits">
        <Shares label="Splits" items={splits} />
        <span className="dim">{splits.map((one) => `${one.name} ${count(one.value)}`).join(", ")}</span>
      </td>
      <td><Link to="/d/$dataset" params={{ dataset }} search={{ ref: row.commit.slice(0, 12) }} className="mono link">{short(row.commit)}</Link></td>
      <td><When at={row.at} /> <span className="dim">by {row.actor}</span></td>
    </tr>
  );
}
