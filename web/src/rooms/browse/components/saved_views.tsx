import { Popover } from "@mantine/core";
import { IconBookmark, IconChevronDown } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SavedView } from "@/api/schema.gen";
import { Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { best } from "@/kit/fuzzy";
import { ErrorState } from "@/kit/page";
import { VIEW_KEYS } from "../keys";
import type { GridSearch } from "../search";
import { isChanged, searchOf, views } from "./views";
import { SaveForm } from "./save_view";
import { Deleted, ViewRow } from "./view_row";
import "./saved_views.css";

type Props = { dataset: string; search: GridSearch; onOpen: (search: GridSearch) => void };

const MANY = 8;

/** The saved views of a dataset: open one, save what is shown as one, share, rename and delete them. */
export function SavedViews({ dataset, search, onOpen }: Props) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [deleted, setDeleted] = useState<SavedView | null>(null);
  const listed = useQuery({ ...views(dataset), enabled: open || search.saved !== undefined });
  useCommands(VIEW_KEYS, { "grid.views": () => setOpen(true) });
  const items = listed.data?.items ?? [];
  const current = items.find((one) => one.name === search.saved);
  const changed = current !== undefined && isChanged(current, search);
  const close = () => {
    setOpen(false);
    setDeleted(null);
    setTyped("");
  };
  return (
    <Popover opened={open} onChange={(next) => (next ? setOpen(true) : close())} position="bottom-end" width={380} trapFocus returnFocus withRoles={false} shadow="none">
      <Popover.Target>
        <button
          type="button" className="button plain views-button" data-command="grid.views" onClick={() => (open ? close() : setOpen(true))} aria-haspopup="dialog" aria-expanded={open}
          aria-label={current ? `Saved view: ${current.name}${changed ? ", changed since" : ""}` : "Saved views"} title={current?.name ?? "Saved views"}
        >
          <IconBookmark size={14} />
          <span className="cut">{current?.name ?? "Views"}</span>
          {changed ? <i className="dirty" title="Changed since it was saved" /> : null}
          <IconChevronDown size={12} />
        </button>
      </Popover.Target>
      <Popover.Dropdown className="floating views" role="dialog" aria-label="Saved views">
        {listed.isPending ? <Loading what="saved views" rows={3} /> : null}
        {listed.error ? <ErrorState error={listed.error} onRetry={() => void listed.refetch()} /> : null}
        {listed.data ? (
          <>
            {items.length > MANY ? (
              <input className="field" aria-label="Find a saved view" placeholder="Find a saved view" value={typed} onChange={(event) => setTyped(event.target.value)} />
            ) : null}
            {items.length > 0 ? (
              <ul className="views-list" aria-label="Saved views">
                {best(items, typed, (one) => `${one.name} ${one.where}`).map((one) => (
                  <ViewRow
                    key={one.name} dataset={dataset} view={one} isCurrent={one.name === search.saved} onDeleted={setDeleted}
                    onOpen={() => {
                      close();
                      onOpen(searchOf(one));
                    }}
                    onRenamed={(name) => one.name === search.saved && onOpen({ ...search, saved: name })}
                  />
                ))}
              </ul>
            ) : (
              <p className="views-none dim">No saved views yet. A view keeps the query, its order and its display under a name, for everybody who reads this dataset.</p>
            )}
            {deleted ? <Deleted dataset={dataset} view={deleted} onDone={() => setDeleted(null)} /> : null}
          </>
        ) : null}
        <SaveForm
          dataset={dataset} search={search} items={items} current={changed ? current : undefined}
          onSaved={(saved) => {
            close();
            onOpen({ ...search, saved: saved.name });
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}
