import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { datasetChanged } from "@/api/cache";
import type { RetestChanges } from "@/api/schema.gen";
import { Button, IconButton } from "@/kit/basics";
import { count } from "@/kit/format";
import { ErrorState } from "@/kit/page";
import { IconX } from "@tabler/icons-react";
import { checks, runChecks } from "@/rooms/checks/api";
import * as api from "../api";

/** Runs the checks again, and says what that changed; the list that is open stays as it is. */
export function useRetest(dataset: string, refName: string, onRefresh: () => void): { run: () => void; isRunning: boolean; notice: ReactNode } {
  const client = useQueryClient();
  const retest = useMutation({
    mutationFn: async () => {
      const report = await runChecks(dataset, refName);
      return { report, changes: report.run ? await api.changes(dataset, report.run.id) : null };
    },
    onSuccess: async ({ report }) => {
      client.setQueryData(checks(dataset, refName).queryKey, report);
      await datasetChanged(client, dataset);
    },
  });
  const run = () => {
    if (!retest.isPending) retest.mutate();
  };
  const changes = retest.data?.changes;
  const notice = retest.error ? <ErrorState error={retest.error} onRetry={run} /> : changes ? (
    <div className="notice good findings-notice" role="status">
      <span><strong>Re-test:</strong> {changesWords(changes)}</span>
      <Button look="quiet" command="findings.refresh" onClick={() => { retest.reset(); onRefresh(); }}>Show the new list</Button>
      <IconButton label="Dismiss" className="small" onClick={() => retest.reset()}><IconX size={14} /></IconButton>
    </div>
  ) : null;
  return { run, isRunning: retest.isPending, notice };
}

/** "closed 6, still open 2, new 1". */
export function changesWords(changes: RetestChanges): string {
  const words = [
    ["closed", changes.closed], ["still open", changes.still_open], ["new", changes.new], ["returned", changes.returned],
    ["accepted risks that ended", changes.expired],
  ] as const;
  const said = words.filter(([, keys]) => keys.length > 0).map(([word, keys]) => `${word} ${count(keys.length)}`);
  return said.length ? said.join(", ") : "no finding changed its state";
}
