import { IconPlayerPlay, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Button, Loading, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { ErrorState } from "@/kit/page";
import { countGates, Standing } from "@/kit/standing";
import { overview } from "@/rooms/browse/api";
import { checks } from "@/rooms/checks/api";
import { useActions } from "./components/actions";
import type { List } from "./api";
import { NotChecked } from "./components/empty";
import { Toolbar } from "./components/toolbar";
import { Work } from "./components/work";
import { useRetest } from "./components/retest";
import { PAGE_KEYS } from "./keys";
import { FILTERS, type FindingsSearch } from "./search";
import "./page.css";

/** The findings of a run as a work list: one after the other, by keyboard, on a list that stays. */
export function FindingsPage() {
  const { dataset, ref } = useDataset();
  const search = useSearch({ from: "/d/$dataset/findings" });
  const navigate = useNavigate({ from: "/d/$dataset/findings" });
  const report = useQuery(checks(dataset, ref));
  const state = useQuery(overview(dataset, ref));
  const newest = report.data?.run?.id ?? "";
  const run = search.run ?? newest;
  const by = search.group ?? "check";
  const list: List = { run, as_of: search.as_of, ...Object.fromEntries(FILTERS.map((name) => [name, search[name]])) };
  const go = useRef((_: Partial<FindingsSearch>, __: boolean) => {});
  go.current = (change, replace) => void navigate({ search: (before) => ({ ...before, ...change }), replace });
  /** Another filter opens another list, at its beginning. */
  const change = (next: Partial<FindingsSearch>) => go.current({ ...next, at: undefined, top: undefined }, false);
  const refresh = () => go.current({ run: undefined, as_of: undefined, at: undefined, top: undefined }, false);
  const retest = useRetest(dataset, ref, refresh);
  const [error, setError] = useState<Error | null>(null);
  const actions = useActions(dataset, ref);
  useEffect(() => {
    if (newest && !search.run) go.current({ run: newest }, true);
  }, [newest, search.run]);
  useCommands(PAGE_KEYS, { "findings.refresh": refresh, "findings.run": retest.run });
  const shownRun = report.data?.run;
  return (
    <Page
      title="Findings" flush
      meta={shownRun ? <><Standing gates={countGates(report.data?.gates ?? [])} open={shownRun.open} /><span className="meta-when">checked <When at={shownRun.at} /></span></> : null}
      actions={
        <>
          {run ? <CopyAs panel="findings" shown={{ dataset, ref, ...list }} /> : null}
          {run && run !== newest ? <Button command="findings.refresh" title="A newer run has another list"><IconRefresh size={14} /> Refresh</Button> : null}
          <Button look="first" busy={retest.isRunning} command="findings.run" title="Run the checks"><IconPlayerPlay size={14} /> {retest.isRunning ? "Running checks…" : "Run checks"}</Button>
        </>
      }
    >
      {report.isPending ? <Loading what="the findings" /> : null}
      {report.error ? <ErrorState error={report.error} onRetry={() => void report.refetch()} /> : null}
      {report.data && !report.data.run && !run ? <NotChecked dataset={dataset} /> : null}
      {run ? (
        <div className="findings-page">
          <Toolbar search={search} data={state.data} by={by} error={error} onChange={change} />
          {retest.notice}
          <Work
            key={JSON.stringify([{ ...list, as_of: undefined }, by])} dataset={dataset} refName={ref} list={list} by={by} search={search} classes={state.data?.classes ?? []}
            total={report.data?.checks.reduce((sum, one) => sum + one.findings, 0) ?? 0} actions={actions} onError={setError}
            onGo={(next) => go.current(next, true)} onFilter={change}
          />
        </div>
      ) : null}
    </Page>
  );
}
