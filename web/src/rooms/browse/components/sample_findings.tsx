import { IconArrowBackUp, IconCheck, IconFocus2 } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import type { Finding, TrackedFinding } from "@/api/schema.gen";
import { keysOf, useCommands } from "@/kit/commands";
import { Button, Pill, Skeleton, type Tone } from "@/kit/basics";
import { sentence } from "@/kit/page";
import { useDataset } from "@/kit/here";
import { say } from "@/kit/said";
import { SeverityPill } from "@/kit/severity";
import { Words } from "@/kit/words";
import * as findings from "@/rooms/findings/api";
import { Section } from "./section";

type Props = {
  dataset: string;
  sample: string;
  /** The findings that the checks last listed here; those with a state say more. */
  listed: readonly Finding[];
  /** Decisions are taken on the working state only. */
  editable: boolean;
  selected: string | null;
  onShow: (annotation: string, labelSet: string | null) => void;
  /** Choose another class for the annotation of a finding; absent where nothing can be edited. */
  onClass?: ((finding: TrackedFinding) => void) | undefined;
};

/** What the checks say of a sample, and the decisions on it. */
export function SampleFindings({ dataset, sample, listed, editable, selected, onShow, onClass }: Props) {
  const query = useQuery({ ...findings.ofSample(dataset, sample), enabled: editable });
  const tracked = query.data?.items ?? [];
  const known = new Set(tracked.map((one) => one.key));
  const others = editable && query.isPending ? [] : listed.filter((one) => !known.has(one.key));
  const open = tracked.filter(isOpen).length + others.length;
  if (!query.error && !query.isLoading && tracked.length + others.length === 0) return null;
  if (query.isLoading && listed.length === 0) return null;
  return (
    <Section title="Findings" meta={query.isLoading ? "" : open === tracked.length + others.length ? String(open) : `${open} open of ${tracked.length + others.length}`}>
      {query.error ? <p role="alert" className="finding-problem"><Words>{query.error.message}</Words></p> : null}
      {query.isLoading ? <Skeleton height={44} /> : null}
      <ul className="finding-lines">
        {[...tracked].sort((p, q) => Number(isOpen(q)) - Number(isOpen(p))).map((finding) => (
          <li key={finding.key} className="finding-line" data-decided={!isOpen(finding)} data-selected={finding.annotation_id !== null && finding.annotation_id === selected}>
            <Head finding={finding} state={finding.state} onShow={onShow} />
            {finding.note ? <p className="dim finding-note"><q>{finding.note}</q></p> : null}
            <Decisions dataset={dataset} finding={finding} onClass={onClass} />
          </li>
        ))}
        {others.map((finding) => <li key={finding.key} className="finding-line"><Head finding={finding} onShow={onShow} /></li>)}
      </ul>
    </Section>
  );
}

export const isOpen = (finding: Pick<TrackedFinding, "state">): boolean => finding.state === "open" || finding.state === "assigned";

const TONES: Partial<Record<TrackedFinding["state"], Tone>> = { fixed: "good", assigned: "accent" };
const STATE_WORDS: Partial<Record<TrackedFinding["state"], string>> = { fixed: "fixed, to be re-tested", accepted: "risk accepted" };

function Head({ finding, state, onShow }: { finding: Finding; state?: TrackedFinding["state"]; onShow: Props["onShow"] }) {
  const annotation = finding.annotation_id;
  return (
    <>
      <p className="finding-head">
        <SeverityPill severity={finding.severity} />
        <strong className="cut">{finding.check}</strong>
        {state && state !== "open" ? <Pill tone={TONES[state] ?? "plain"}>{STATE_WORDS[state] ?? state}</Pill> : null}
        {annotation ? (
          <button type="button" className="link finding-show" onClick={() => onShow(annotation, finding.label_set)} aria-label={`Show the annotation of ${finding.check}`}><IconFocus2 size={13} /> show</button>
        ) : null}
      </p>
      <p className="finding-reason">{sentence(finding.reason)}</p>
    </>
  );
}

/** What the suggested repair would do, as a verb and its object. */
function repairText(finding: TrackedFinding): string | null {
  const repair = finding.facts["repair"] as { do?: string; class?: string; split?: string } | undefined;
  switch (repair?.do) {
    case "remove-sample": return "Remove the sample";
    case "remove-annotation": return "Delete it";
    case "set-class": return `Make it ${repair.class}`;
    case "set-split": return `Move to ${repair.split}`;
    case "add-box": return `Add the ${repair.class}`;
    case "set-box": case "box-of-shape": case "fit-rectangle": return "Correct the box";
    case "set-keypoints": return "Correct the keypoints";
    default: return repair ? "Apply the fix" : null;
  }
}

function Decisions({ dataset, finding, onClass }: { dataset: string; finding: TrackedFinding; onClass?: Props["onClass"] }) {
  const client = useQueryClient();
  const { ref } = useDataset();
  const [isRejecting, setRejecting] = useState(false);
  const changed = () => datasetChanged(client, dataset);
  const decide = useMutation({
    mutationFn: (decision: findings.Decision) => findings.decide(dataset, { keys: [finding.key] }, decision),
    onSuccess: async (_, { state }) => {
      setRejecting(false);
      say(state === "open" ? "Finding reopened" : `Finding ${state}`);
      await changed();
    },
  });
  const fix = useMutation({
    mutationFn: async () => {
      const staged = await findings.fix(dataset, ref, { keys: [finding.key] });
      const skipped = staged.left_out[finding.key];
      if (skipped) throw new Problem(409, "fix-skipped", skipped, "", "");
    },
    onSuccess: async () => {
      say("Repair staged");
      await changed();
    },
  });
  const undo = useMutation({ mutationFn: () => findings.undo(dataset), onSuccess: changed });
  const problem = [decide.error, fix.error, undo.error].find(Boolean);
  const busy = decide.isPending || fix.isPending || undo.isPending;
  const repair = repairText(finding);
  const id = (what: string) => `finding.${what} ${finding.key}`;
  const of = `${finding.check} ${finding.key.slice(0, 6)}`;
  const reopen = () => decide.mutate({ state: "open", note: "", assignee: "" });
  useCommands(
    isOpen(finding)
      ? {
          ...(repair ? { [id("fix")]: { title: `${repair} (${of})`, group: "Sample" } as const } : {}),
          [id("class")]: { title: `Choose another class (${of})`, group: "Sample", quiet: !onClass || !finding.annotation_id },
          [id("reject")]: { title: `Reject ${of} with a reason`, group: "Sample" },
        }
      : { [id("reopen")]: { title: `Reopen ${of}`, group: "Sample" } },
    { [id("fix")]: () => fix.mutate(), [id("class")]: () => onClass?.(finding), [id("reject")]: () => setRejecting(!isRejecting), [id("reopen")]: reopen },
  );
  return (
    <>
      <div className="finding-actions">
        {isOpen(finding) ? (
          <>
            {repair ? <Button className="small" busy={busy} command={id("fix")} title="Stage the suggested repair"><IconCheck size={13} /> {repair}</Button> : null}
            {onClass && finding.annotation_id ? <Button className="small" look="quiet" disabled={busy} command={id("class")}>Another class</Button> : null}
            <Button className="small" look="quiet" disabled={busy} aria-expanded={isRejecting} command={id("reject")}>Reject</Button>
          </>
        ) : (
          <Button className="small" look="quiet" busy={busy} command={id("reopen")}><IconArrowBackUp size={13} /> Reopen</Button>
        )}
      </div>
      {isRejecting ? <Reason busy={busy} onGive={(note) => decide.mutate({ state: "rejected", note, assignee: "" })} onLeave={() => setRejecting(false)} /> : null}
      {problem ? (
        <p role="alert" className="finding-problem">
          <Words>{problem.message}</Words>{problem instanceof Problem && problem.fix ? <>. <Words>{problem.fix}</Words></> : null}
        </p>
      ) : null}
    </>
  );
}

/** Why the checks are wrong here; the next reader sees it, and it counts for the precision of the check. */
function Reason({ busy, onGive, onLeave }: { busy: boolean; onGive: (note: string) => void; onLeave: () => void }) {
  const [note, setNote] = useState("");
  const text = note.trim();
  return (
    <form
      className="finding-reject"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.length >= 3) onGive(text);
      }}
    >
      <input
        className="field" autoFocus placeholder="Why is it right as it is?" aria-label="Reason" maxLength={4000} value={note}
        onChange={(event) => setNote(event.target.value)} {...keysOf({ Escape: onLeave })}
      />
      <Button type="submit" className="small" busy={busy} disabled={text.length < 3}>Reject</Button>
    </form>
  );
}
