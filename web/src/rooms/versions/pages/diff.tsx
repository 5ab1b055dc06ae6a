import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ChangeCounts } from "@/api/schema.gen";
import { Button, Loading } from "@/kit/basics";
import { Delta } from "@/kit/counts";
import { count } from "@/kit/format";
import { branchOf } from "@/kit/branch";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import * as api from "../api";
import { ComparePanel } from "../components/compare_panel";
import { DiffList, Groups } from "../components/diff_list";
import type { DiffSearch } from "../search";
import "./diff.css";

/** What differs between two states: by kind and class, sample by sample, before and after. */
export function DiffPage() {
  const { dataset } = useDataset();
  const search = useSearch({ from: "/d/$dataset/diff" });
  const navigate = useNavigate({ from: "/d/$dataset/diff" });
  const { a, b = "" } = search;
  const query = useQuery({ ...api.diff(dataset, a, b, search), enabled: a !== "", placeholderData: keepPreviousData });
  const data = query.data;
  const isFiltered = Boolean(search.change || search.before || search.after);
  const nothing = data ? data.total === 0 && !isFiltered : false;
  const change = (more: Partial<DiffSearch>) => void navigate({ search: (before) => ({ ...before, ...more }), replace: "sample" in more });
  const selected = search.sample ?? data?.items[0]?.sample_id ?? "";
  return (
    <Page
      title="Diff" withRef={false} flush actions={a ? <CopyAs panel="diff" shown={{ dataset, a, b }} /> : null}
      crumbs={<><Link to="/d/$dataset/history" params={{ dataset }} className="crumb">History</Link><span className="slash" aria-hidden="true">/</span></>}
      meta={
        <>
          <span><RefLink dataset={dataset} name={a} /> {"\u2192"} <RefLink dataset={dataset} name={b} /></span>
          {data && isChanged(data.samples) ? <Delta counts={data.samples} of="samples" /> : null}
          {data && isChanged(data.annotations) ? <Delta counts={data.annotations} of="annotations" /> : null}
        </>
      }
    >
      {!a ? <EmptyState title="Select two commits"><p>Select two commits in <Link to="/d/$dataset/history" params={{ dataset }} className="link">the history</Link> to compare them.</p></EmptyState> : null}
      {query.isLoading ? <Loading what="the diff" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {nothing ? <EmptyState title="No differences in samples or annotations"><p>The two states may still differ in classes, fields or the contract.</p></EmptyState> : null}
      {data && !nothing ? (
        <div className="diff">
          <aside className="diff-side" aria-label="Changes">
            <Groups groups={data.groups} search={search} onChange={change} />
            <p className="diff-total dim">{count(data.total)} changed {data.total === 1 ? "sample" : "samples"}</p>
            <DiffList dataset={dataset} search={search} total={data.total} selected={selected} onChange={change} />
          </aside>
          {selected ? <ComparePanel dataset={dataset} search={search} id={selected} onChange={change} /> : (
            <EmptyState title="No sample differs in this way">
              <p>The filter matches none of the changes.</p>
              <Button onClick={() => change({ change: undefined, before: undefined, after: undefined })}>Show all changes</Button>
            </EmptyState>
          )}
        </div>
      ) : null}
    </Page>
  );
}

const isChanged = (counts: ChangeCounts): boolean => counts.added + counts.removed + counts.changed > 0;

function RefLink({ dataset, name }: { dataset: string; name: string }) {
  const branch = branchOf(name);
  if (branch) return <Link to="/d/$dataset" params={{ dataset }} search={{ ref: name || undefined }} className="link">working state{name ? ` of ${branch}` : ""}</Link>;
  return <Link to="/d/$dataset" params={{ dataset }} search={{ ref: name }} className="mono link">{/^[0-9a-f]{9,}$/.test(name) ? name.slice(0, 8) : name}</Link>;
}
