import { IconChecklist, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { datasetChanged } from "@/api/cache";
import { Button, CommandLine, Loading, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { duration } from "@/kit/format";
import { CopyAs } from "@/kit/copy_as";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import { countGates, openWords, Standing } from "@/kit/standing";
import { ContractPanel, CoverageMap } from "@/rooms/contracts/panel";
import * as api from "./api";
import { CheckList } from "./components/check_list";
import { GateList, ObjectiveList } from "./components/gate_list";
import { CHECKS_KEYS } from "./keys";
import "./page.css";

/** The latest run of the checks: the gates that a release must pass, and apart from them what each check found. */
export function ChecksPage() {
  const { dataset, ref } = useDataset();
  const search = useSearch({ from: "/d/$dataset/checks" });
  const navigate = useNavigate({ from: "/d/$dataset/checks" });
  const client = useQueryClient();
  const asked = api.checks(dataset, ref);
  const query = useQuery(asked);
  const running = useMutation({
    mutationFn: () => api.runChecks(dataset, ref),
    meta: { job: `Checks of ${dataset}` },
    onSuccess: async (report) => {
      client.setQueryData(asked.queryKey, report);
      say(`${report.run?.red ? "Some gates are not green" : "All gates are green"}, ${openWords(report.run?.open)}`);
      await datasetChanged(client, dataset);
    },
  });
  const run = () => {
    if (!running.isPending) running.mutate();
  };
  useCommands(CHECKS_KEYS, { "checks.run": run });
  const report = query.data;
  const show = (check: string) => void navigate({ to: "/d/$dataset/findings", params: { dataset }, search: { ref: ref || undefined, check } });
  return (
    <Page
      title="Checks" flush
      meta={report?.run ? <><Standing gates={countGates(report.gates)} open={report.run.open} /><span className="meta-when">checked <When at={report.run.at} /> by {report.run.actor}</span><span className="meta-when">{duration(report.run.duration_s)}</span></> : null}
      actions={
        <>
          <CopyAs panel="checks" shown={{ dataset, ref }} />
          <Button look="first" busy={running.isPending} command="checks.run">
            <IconPlayerPlay size={14} /> {running.isPending ? "Running checks…" : "Run checks"}
          </Button>
        </>
      }
    >
      {query.isPending ? <Loading what="the checks" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {running.error ? <ErrorState error={running.error} onRetry={run} /> : null}
      {report && !report.run && !running.error ? <NotChecked dataset={dataset} /> : null}
      {report?.run && !running.error ? (
        <div className="checks">
          <div className="checks-side">
            {report.stale ? (
              <div className="notice warn" role="status">
                <span>The dataset has changed since this run. These results are for the earlier state.</span>
              </div>
            ) : null}
            <GateList gates={report.gates} onCheck={show} />
            <ObjectiveList objectives={report.objectives} />
            <ContractPanel dataset={dataset} refName={ref} />
          </div>
          <div className="checks-main">
            <CoverageMap
              gates={report.gates} dataset={dataset} refName={ref} chosen={search.gate} onFindings={() => show("coverage")}
              onChoose={(gate) => void navigate({ search: (before) => ({ ...before, gate }) })}
            />
            <CheckList checks={report.checks} chosen={search.check} onChoose={(check) => void navigate({ search: (before) => ({ ...before, check }) })} onFindings={show} />
          </div>
        </div>
      ) : null}
    </Page>
  );
}

function NotChecked({ dataset }: { dataset: string }) {
  return (
    <EmptyState title="Not checked yet" icon={<IconChecklist size={26} stroke={1.5} />}>
      <p>
        Checks find problems that would break training later: unreadable images, duplicates across splits, boxes outside the
        image, undeclared classes. Run them here or in a terminal:
      </p>
      <CommandLine>{`calotype check ${dataset}`}</CommandLine>
    </EmptyState>
  );
}
