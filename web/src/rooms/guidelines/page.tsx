import { IconBook, IconCheck } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, CommandLine, Loading, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "./api";
import { Examples } from "./components/examples";
import { SafeMarkdown } from "./components/markdown";
import { StaleLabels } from "./components/stale";
import { Changes, DiffLines, Touches, Versions } from "./components/versions";
import { GUIDELINE_KEYS } from "./keys";
import "./page.css";

/** The guideline: what changed since one has read it, the text with its examples, all versions, and stale labels. */
export function GuidelinePage() {
  const { dataset, ref } = useDataset();
  const { version } = useSearch({ from: "/d/$dataset/guideline" });
  const navigate = useNavigate({ from: "/d/$dataset/guideline" });
  const client = useQueryClient();
  const list = useQuery(api.versions(dataset));
  const reading = useQuery(api.reading(dataset));
  const items = list.data?.items ?? [];
  const shown = version ?? items.find(({ state }) => state === "published")?.version ?? items[0]?.version ?? 0;
  const text = useQuery({ ...api.guideline(dataset, shown), enabled: shown > 0 });
  const read = useMutation({
    mutationFn: (newest: number) => api.acknowledge(dataset, newest),
    onSuccess: (done) => (say(`Acknowledged version ${done.acknowledged_version}`), client.invalidateQueries(api.reloaded(dataset))),
  });
  const newest = reading.data?.version ?? 0;
  const waits = newest > 0 && reading.data?.acknowledged === false;
  const isLate = waits && (reading.data?.acknowledged_version ?? 0) > 0;
  const step = (by: number) => {
    const next = items[items.findIndex((one) => one.version === shown) + by];
    if (next) void navigate({ replace: true, search: (before) => ({ ...before, version: next.version }) });
  };
  useCommands(GUIDELINE_KEYS, {
    "guideline.acknowledge": () => (waits ? read.mutate(newest) : say("Nothing to acknowledge")),
    "guideline.older": () => step(1),
    "guideline.newer": () => step(-1),
  });
  const error = list.error ?? text.error ?? read.error;
  return (
    <Page
      title="Guideline"
      meta={shown ? <span>version {shown}{text.data?.state === "draft" ? " (draft)" : ""}</span> : null}
      actions={newest ? <Acknowledge waits={waits} busy={read.isPending} /> : null}
    >
      {list.isPending ? <Loading what="the guideline" /> : null}
      {error ? <ErrorState error={error} onRetry={() => void list.refetch()} /> : null}
      {list.data && !items.length ? (
        <EmptyState title="No guideline yet" icon={<IconBook size={26} stroke={1.5} />}>
          <p>A guideline says how to label: Markdown with examples, in versions. Write one, then publish it:</p>
          <CommandLine>{`calotype guideline publish ${dataset} guideline.md`}</CommandLine>
        </EmptyState>
      ) : null}
      {items.length ? (
        <div className="guide">
          <div className="guide-main">
            {reading.data && isLate ? <Since reading={reading.data} /> : null}
            {text.data ? <Panel><SafeMarkdown text={text.data.text} /></Panel> : null}
            {text.data ? <Examples dataset={dataset} examples={text.data.examples} /> : null}
            {isLate && shown === newest ? null : <Changes dataset={dataset} version={shown} />}
          </div>
          <div className="guide-side">
            <Versions dataset={dataset} items={items} shown={shown} />
            <StaleLabels dataset={dataset} state={ref} />
          </div>
        </div>
      ) : null}
    </Page>
  );
}

function Acknowledge({ waits, busy }: { waits: boolean; busy: boolean }) {
  if (!waits) return <Pill tone="good" icon={<IconCheck size={13} />}>acknowledged</Pill>;
  return <Button look="first" command="guideline.acknowledge" busy={busy}>Acknowledge</Button>;
}

/** What changed since the version that one has acknowledged. */
function Since({ reading }: { reading: Awaited<ReturnType<typeof api.acknowledge>> }) {
  const { changelog, lines, touches } = reading.changes;
  return (
    <Panel title={`Changed since you read version ${reading.acknowledged_version}`} className="guide-since">
      <ul>{changelog.map((one) => <li key={one.version}><b>Version {one.version}</b> {one.changelog}</li>)}</ul>
      <Touches names={touches} />
      <DiffLines lines={lines} />
    </Panel>
  );
}
