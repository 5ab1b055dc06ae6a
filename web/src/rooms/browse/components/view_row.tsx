import { IconLink, IconPencil, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "@/api/client";
import type { SavedView } from "@/api/schema.gen";
import { Button, IconButton } from "@/kit/basics";
import { keysOf, useCommands } from "@/kit/commands";
import { say } from "@/kit/said";
import { DELETED_KEYS, RENAME_KEYS } from "../keys";
import * as api from "./views";
import { Failure } from "./save_view";

type Props = {
  dataset: string;
  view: SavedView;
  isCurrent: boolean;
  onOpen: () => void;
  onRenamed: (name: string) => void;
  onDeleted: (view: SavedView) => void;
};

/** One saved view: what it shows, and what can be done with it. */
export function ViewRow({ dataset, view, isCurrent, onOpen, onRenamed, onDeleted }: Props) {
  const [renames, setRenames] = useState(false);
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => api.remove(dataset, view.name),
    onSuccess: async (gone) => {
      onDeleted(gone);
      await client.invalidateQueries({ queryKey: api.views(dataset).queryKey });
    },
  });
  const copy = async () => {
    await navigator.clipboard.writeText(api.linkTo(dataset, view.name));
    say(`Link to ${view.name} copied`);
  };
  const id = (what: string) => `views.${what} ${view.name}`;
  useCommands(
    {
      [id("link")]: { title: `Copy link to ${view.name}`, group: "Grid" },
      [id("rename")]: { title: `Rename ${view.name}`, group: "Grid" },
      [id("delete")]: { title: `Delete ${view.name}`, group: "Grid" },
    },
    { [id("link")]: copy, [id("rename")]: () => setRenames(true), [id("delete")]: () => deleting.mutate() },
  );
  if (renames) return <li><Rename dataset={dataset} view={view} onDone={() => setRenames(false)} onRenamed={onRenamed} /></li>;
  return (
    <li>
      <div className="views-row" data-current={isCurrent}>
        <button type="button" className="views-open" onClick={onOpen} aria-current={isCurrent || undefined} title={`Saved by ${view.changed_by}`}>
          <span className="cut">{view.name}</span>
          <code className="cut dim">{view.where || "all samples"}{view.ref ? ` at ${view.ref.slice(0, 12)}` : ""}</code>
        </button>
        <IconButton className="small" label={`Copy link to ${view.name}`} command={id("link")}><IconLink size={14} /></IconButton>
        <IconButton className="small" label={`Rename ${view.name}`} command={id("rename")}><IconPencil size={14} /></IconButton>
        <IconButton className="small" label={`Delete ${view.name}`} disabled={deleting.isPending} command={id("delete")}><IconTrash size={14} /></IconButton>
      </div>
      <Failure error={deleting.error} />
    </li>
  );
}

function Rename({ dataset, view, onDone, onRenamed }: Pick<Props, "dataset" | "view" | "onRenamed"> & { onDone: () => void }) {
  const [name, setName] = useState(view.name);
  const client = useQueryClient();
  const renaming = useMutation({
    mutationFn: (overwrite: boolean) => api.rename(dataset, view.name, name.trim(), overwrite),
    onSuccess: async (renamed) => {
      onDone();
      onRenamed(renamed.name);
      await client.invalidateQueries({ queryKey: api.views(dataset).queryKey });
    },
  });
  useCommands(RENAME_KEYS, { "views.rename-over": () => renaming.mutate(true) });
  const isTaken = renaming.error instanceof Problem && renaming.error.code === "view-exists";
  return (
    <form
      className="views-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) renaming.mutate(false);
      }}
    >
      <div className="views-line">
        <input
          className="field" aria-label={`New name of ${view.name}`} value={name} maxLength={100} autoFocus autoComplete="off" spellCheck={false}
          onChange={(event) => {
            setName(event.target.value);
            renaming.reset();
          }}
          {...keysOf({ Escape: onDone })}
        />
        <Button className="small" look="first" type="submit" busy={renaming.isPending} disabled={!name.trim() || isTaken}>Rename</Button>
        <Button className="small" look="quiet" onClick={onDone}>Cancel</Button>
      </div>
      {isTaken ? (
        <p role="alert" className="views-asks">
          <span>{name.trim()} exists already.</span>
          <Button className="small" busy={renaming.isPending} command="views.rename-over">Replace it</Button>
        </p>
      ) : <Failure error={renaming.error} />}
    </form>
  );
}

/** What was just deleted, to take it back. */
export function Deleted({ dataset, view, onDone }: { dataset: string; view: SavedView; onDone: () => void }) {
  const client = useQueryClient();
  const restoring = useMutation({
    mutationFn: () => api.save(dataset, view.name, view, false),
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: api.views(dataset).queryKey });
    },
  });
  useCommands(DELETED_KEYS, { "views.restore": () => restoring.mutate() });
  return (
    <div>
      <p role="status" className="views-asks">
        <span>Deleted {view.name}.</span>
        <Button className="small" busy={restoring.isPending} command="views.restore">Undo</Button>
      </p>
      <Failure error={restoring.error} />
    </div>
  );
}
