import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import { acknowledge } from "@/rooms/guidelines/api";
import { ACKNOWLEDGE_KEYS } from "../../keys";
import type { Work } from "../session/types";

/** Where a guideline version is to be read before the work can be submitted; nothing once it was acknowledged. */
export function GuidelineNotice({ work }: { work: Work }) {
  const { version, acknowledged } = work.guideline;
  return version && !acknowledged ? <Unread work={work} version={version} /> : null;
}

function Unread({ work, version }: { work: Work; version: number }) {
  const client = useQueryClient();
  const { dataset } = work.batch;
  const reading = useMutation({
    mutationFn: () => acknowledge(dataset, version),
    onSuccess: () => {
      client.setQueryData<Work>(["work", work.assignment], (before) => before && { ...before, guideline: { ...before.guideline, acknowledged: true } });
      say(`Version ${version} of the guideline is acknowledged`);
    },
  });
  useCommands(ACKNOWLEDGE_KEYS, { "work.acknowledge": () => reading.mutate() });
  return (
    <div className="notice work-notice" role="status">
      <p><strong>Version {version} of the guideline is new to you.</strong> <Link to="/d/$dataset/guideline" params={{ dataset }} target="_blank" className="link">Read what changed</Link> before you submit.</p>
      {reading.error ? <ErrorState error={reading.error} /> : null}
      <Button className="small" command="work.acknowledge" busy={reading.isPending}>I have read it</Button>
    </div>
  );
}
