import { IconX } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Problem } from "@/api/client";
import type { ClassCount } from "@/api/schema.gen";
import { Button, IconButton, Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, plural } from "@/kit/format";
import { ErrorState } from "@/kit/page";
import type { useActions } from "./actions";
import * as api from "../api";
import { LIST_KEYS } from "../keys";
import { useList } from "./list";
import { fromList, type FindingsSearch } from "../search";
import { useSelection } from "./selection";
import { useAhead } from "./ahead";
import { Decide } from "./decide";
import { Detail } from "./detail";
import { NothingListed } from "./empty";
import { WorkList } from "./work_list";

type Props = {
  dataset: string;
  refName: string;
  list: api.List;
  by: string;
  search: FindingsSearch;
  classes: readonly ClassCount[];
  total: number;
  actions: ReturnType<typeof useActions>;
  /** An error of the list; one of the query is shown where it was typed. */
  onError: (error: Error | null) => void;
  onGo: (change: Partial<FindingsSearch>) => void;
  onFilter: (change: Partial<FindingsSearch>) => void;
};

/** The list on the left, the finding shown on the right, and the actions on it or on the selected ones. */
export function Work({ dataset, refName, list, by, search, classes, total, actions, onError, onGo, onFilter }: Props) {
  const navigate = useNavigate();
  const found = useList(dataset, list, by, search.at ?? 0);
  const at = Math.min(search.at ?? 0, Math.max(0, found.total - 1));
  const finding = found.items.get(at);
  const { selection, tick, all, clear } = useSelection(found.keysBetween);
  useAhead(dataset, refName, found.items, at);
  const place = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { asOf, error } = found;
  useEffect(() => {
    if (asOf !== undefined && search.as_of === undefined) found.keep(asOf);
    if (asOf !== undefined && search.as_of === undefined) onGo({ as_of: asOf });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asOf, search.as_of]);
  useEffect(() => onError(error), [error, onError]);
  useEffect(() => () => clearTimeout(place.current), []);
  const show = (next: number) => onGo({ at: Math.max(0, Math.min(found.total - 1, next)) || undefined });
  const nTicked = selection.all ? found.total : selection.keys.size;
  useCommands(LIST_KEYS, {
    "findings.next": () => show(at + 1),
    "findings.previous": () => show(at - 1),
    "findings.first": () => show(0),
    "findings.last": () => show(found.total - 1),
    "findings.tick": () => finding && void tick(at, finding.key, false),
    "findings.all": all,
    "findings.clear": clear,
    "findings.sample": () => {
      if (!finding?.sample) return;
      void navigate({
        to: "/d/$dataset/samples/$sample", params: { dataset, sample: finding.sample.id },
        search: { ref: refName || undefined, ...fromList(search, list.run, by, at), ann: finding.annotation ?? undefined, labels: finding.label_set ?? undefined },
      });
    },
  });
  if (error) return error instanceof Problem && error.code.startsWith("query-") ? null : <ErrorState error={error} />;
  if (found.isWaiting) return <Loading what="the findings" />;
  if (found.isKnown && found.total === 0) return <NothingListed search={search} total={total} onFilter={onFilter} />;
  const chosen: api.Chosen | null = selection.all ? { match: api.matchOf({ ...list, as_of: search.as_of ?? asOf }) } : nTicked ? { keys: [...selection.keys] } : finding ? { keys: [finding.key] } : null;
  const keepTop = (top: number) => {
    clearTimeout(place.current);
    place.current = setTimeout(() => top !== (search.top ?? 0) && onGo({ top: top || undefined }), 250);
  };
  const { outcome } = actions;
  return (
    <div className="findings-work">
      <section className="findings-left" aria-label="Work list">
        <div className="findings-count">
          <span>{nTicked ? `${count(nTicked)} selected` : `${count(at + 1)} of ${plural(found.total, "finding")}`}</span>
          {nTicked ? <Button look="quiet" command="findings.clear">Clear</Button> : null}
          {selection.all ? null : <Button look="quiet" command="findings.all">Select all {count(found.total)}</Button>}
        </div>
        <WorkList
          dataset={dataset} total={found.total} groups={found.groups} by={by} withCheck={by !== "check" && !search.check} items={found.items} at={at} top={search.top ?? 0}
          isTicked={(key) => selection.all || selection.keys.has(key)} onShow={show} onGroup={onFilter}
          onTick={(row, range) => void tick(row, found.items.get(row)?.key ?? "", range)}
          onRange={(first, last, top) => {
            found.setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]));
            keepTop(top);
          }}
        />
      </section>
      <section className="findings-right">
        {outcome ? (
          <div className={`notice ${outcome.bad ? "bad" : "good"} findings-notice`} role={outcome.bad ? "alert" : "status"}>
            <span><strong>{outcome.text}</strong>{outcome.details.length ? ` (${outcome.details.join("; ")})` : ""}</span>
            <IconButton label="Dismiss" className="small" onClick={() => actions.setOutcome(null)}><IconX size={14} /></IconButton>
          </div>
        ) : null}
        <Decide
          finding={finding} chosen={chosen} nChosen={nTicked || 1} classes={classes} actions={actions}
          onDone={() => (nTicked ? clear() : show(at + 1))}
        />
        {finding ? <Detail finding={finding} dataset={dataset} refName={refName} classes={classes} from={fromList(search, list.run, by, at)} /> : <Loading what="the finding" />}
      </section>
    </div>
  );
}
