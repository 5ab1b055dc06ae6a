import { IconChecklist, IconCircleCheck } from "@tabler/icons-react";
import { Button, CommandLine } from "@/kit/basics";
import { count, plural } from "@/kit/format";
import { EmptyState } from "@/kit/page";
import type { FindingsSearch } from "../search";
import { FILTERS } from "../search";

/** Before the first run of the checks. */
export function NotChecked({ dataset }: { dataset: string }) {
  return (
    <EmptyState title="Not checked yet" icon={<IconChecklist size={26} stroke={1.5} />}>
      <p>Checks look for wrong classes, boxes that do not fit, duplicates and unreadable images. What they find is listed here, to be fixed, rejected or assigned one after the other:</p>
      <CommandLine>{`calotype check ${dataset}`}</CommandLine>
    </EmptyState>
  );
}

const WORDS: Record<(typeof FILTERS)[number], string> = {
  where: "query", check: "check", class: "class", fault: "cause", severity: "severity", shown: "state", assignee: "assignee",
};

/** Nothing in the list: because all is decided, or because of filters, which can be dropped one by one. */
export function NothingListed({ search, total, onFilter }: { search: FindingsSearch; total: number; onFilter: (change: Partial<FindingsSearch>) => void }) {
  const set = FILTERS.filter((name) => search[name] !== undefined);
  if (set.length === 0) {
    return (
      <EmptyState title={total ? "Nothing left to decide" : "No findings"} icon={<IconCircleCheck size={26} stroke={1.5} />}>
        <p>{total ? `The run has ${plural(total, "finding")}, and someone decided on each of them.` : "The last run of the checks found no problems."}</p>
        {total ? <Button onClick={() => onFilter({ shown: "all" })}>Show all {count(total)}</Button> : null}
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No findings match">
      <p>Drop a filter to see more:</p>
      <div className="drop-filters">
        {set.map((name) => <Button key={name} onClick={() => onFilter({ [name]: undefined })}>{WORDS[name]} <span className="mono">{search[name]}</span></Button>)}
      </div>
    </EmptyState>
  );
}
