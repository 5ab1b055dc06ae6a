import {
  IconChecklist, IconDatabase, IconGitMerge, IconHistory, IconLayoutGrid, IconListDetails, IconPackage, IconRoute, IconShieldCheck,
  type TablerIcon,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps } from "@tanstack/react-router";
import * as queries from "@/api/queries";
import type { Session } from "@/api/types";
import { useHere } from "@/app/here";
import { ThemeToggle } from "@/app/page";
import { openKeys } from "@/app/palette";
import { KeyHint } from "@/kit/basics";
import { compact, plural } from "@/kit/format";

/** The way around: datasets, the pages of the one in hand, and what belongs to the whole workspace. */
export function Sidebar({ session }: { session: Session | undefined }) {
  const here = useHere();
  const list = useQuery(queries.datasets());
  const items = list.data?.items ?? [];
  return (
    <nav className="sidebar" aria-label="Main">
      <Link to="/" className="brand">
        <img src="/icon.svg" width={20} height={20} alt="" />
        <span className="cut">{session?.workspace.name ?? "Calotype"}</span>
      </Link>
      <div className="side-scroll">
        <Item link={{ to: "/", activeOptions: { exact: true } }} icon={IconDatabase} label="Datasets" count={items.length || undefined} />
        <ul className="side-datasets">
          {items.map((dataset) => {
            const open = dataset.name === here.dataset;
            return (
              <li key={dataset.name} data-open={open}>
                <Link
                  to="/d/$dataset" params={{ dataset: dataset.name }} search={{}} activeOptions={{ exact: true, includeSearch: false }}
                  className="side-dataset" title={plural(dataset.samples, "sample")}
                >
                  <span className="cut">{dataset.name}</span>
                  {dataset.dirty && dataset.samples ? <i className="dirty" title="Uncommitted changes" /> : null}
                  <span className="side-count">{compact(dataset.samples)}</span>
                </Link>
                {open ? <DatasetPages name={dataset.name} /> : null}
              </li>
            );
          })}
        </ul>
      </div>
      <div className="side-foot">
        <Item link={{ to: "/runs" }} icon={IconRoute} label="Runs" />
        <Item link={{ to: "/audit" }} icon={IconShieldCheck} label="Audit" />
        <div className="side-who">
          <span className="cut">{session ? `${session.actor.name} (${session.actor.roles.join(", ")})` : ""}</span>
          <ThemeToggle />
          <button type="button" onClick={openKeys} aria-label="Show all keys"><KeyHint keys="?" /></button>
        </div>
      </div>
    </nav>
  );
}

function DatasetPages({ name }: { name: string }) {
  const params = { dataset: name };
  return (
    <ul className="side-pages">
      <li><Item link={{ to: "/d/$dataset", params, activeOptions: { exact: true, includeSearch: false } }} icon={IconListDetails} label="Overview" /></li>
      <li><Item link={{ to: "/d/$dataset/samples", params }} icon={IconLayoutGrid} label="Samples" /></li>
      <li><Item link={{ to: "/d/$dataset/checks", params }} icon={IconChecklist} label="Checks" /></li>
      <li><Item link={{ to: "/d/$dataset/history", params }} icon={IconHistory} label="History" /></li>
      <li><Item link={{ to: "/d/$dataset/merges", params, search: {} }} icon={IconGitMerge} label="Merges" /></li>
      <li><Item link={{ to: "/d/$dataset/releases", params }} icon={IconPackage} label="Releases" /></li>
      <li><Item link={{ to: "/runs", search: { dataset: name } }} icon={IconRoute} label="Runs" /></li>
    </ul>
  );
}

function Item({ link, icon: Icon, label, count }: { link: LinkProps; icon: TablerIcon; label: string; count?: number | undefined }) {
  return (
    <Link {...link} activeOptions={{ includeSearch: false, ...link.activeOptions }} className="side-item">
      <Icon size={15} stroke={1.7} />
      <span className="cut">{label}</span>
      {count !== undefined ? <span className="side-count">{count}</span> : null}
    </Link>
  );
}
