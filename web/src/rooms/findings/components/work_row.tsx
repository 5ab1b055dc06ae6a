import { IconDatabase } from "@tabler/icons-react";
import { thumbUrl } from "@/api/client";
import type { FindingGroup, ListedFinding } from "@/api/schema.gen";
import { count } from "@/kit/format";
import { Crop } from "@/canvas/crop";
import { boxOfFinding, groupName, rowClaim } from "./words";

export const ROW_HEIGHT = 58;
export const HEAD_HEIGHT = 32;

/** The head of a group: how many findings it has, and how many are left to decide. */
export function GroupHead({ group, by, onChoose }: { group: FindingGroup; by: string; onChoose?: () => void }) {
  const done = group.findings - group.open;
  return (
    <div role="presentation" className={onChoose ? "group-head can" : "group-head"} onClick={onChoose} title={onChoose ? "Show only these" : undefined}>
      <span className="cut">{groupName(group.value, by)}</span>
      <span className="num dim">{done > 0 ? `${count(group.open)} of ${count(group.findings)} open` : count(group.findings)}</span>
    </div>
  );
}

type Props = {
  finding: ListedFinding;
  dataset: string;
  ticked: boolean;
  current: boolean;
  /** Whether the rows are of several checks, and no head says of which. */
  withCheck: boolean;
  onShow: (event: { shiftKey: boolean; metaKey: boolean; ctrlKey: boolean }) => void;
  onTick: (event: { shiftKey: boolean }) => void;
};

/** A finding in the list: its object, the claim, the place and its state. */
export function WorkRow({ finding, dataset, ticked, current, withCheck, onShow, onTick }: Props) {
  const { sample, state } = finding;
  const isDone = state !== null && state !== "open" && state !== "assigned";
  return (
    <div
      id={`finding-${finding.key}`} role="option" aria-selected={ticked} aria-current={current || undefined}
      className={`work-row${isDone ? " done" : ""}`} onClick={onShow}
    >
      <span
        className="tick" aria-hidden="true" data-on={ticked || undefined}
        onClick={(event) => {
          event.stopPropagation();
          onTick(event);
        }}
      />
      {sample ? (
        <Crop src={thumbUrl(dataset, sample.media, 512)} name="" width={sample.width} height={sample.height} box={boxOfFinding(finding)} />
      ) : <span className="crop no-crop"><IconDatabase size={18} stroke={1.5} /></span>}
      <span className="work-text">
        <span className="work-claim">{rowClaim(finding)}</span>
        <span className="work-place">
          <i className={`severity ${finding.severity}`} title={finding.severity} />
          {withCheck ? <span className="cut">{finding.check}</span> : null}
          <span className="cut dim">{sample?.name ?? finding.sample_name ?? "whole dataset"}{!sample && finding.sample_name ? " (no longer in the dataset)" : ""}</span>
          {state && state !== "open" ? <span className={`pill state-${state}`} title={finding.note ?? undefined}>{state}{finding.assignee && state === "assigned" ? ` · ${finding.assignee}` : ""}</span> : null}
        </span>
      </span>
    </div>
  );
}
