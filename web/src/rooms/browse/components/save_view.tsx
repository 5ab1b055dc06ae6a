import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Problem } from "@/api/client";
import type { SavedView } from "@/api/schema.gen";
import { Button } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import { SAVE_KEYS } from "../keys";
import type { GridSearch } from "../search";
import * as api from "./views";

type Props = {
  dataset: string;
  search: GridSearch;
  items: readonly SavedView[];
  /** The open view, if it was changed. */
  current: SavedView | undefined;
  onSaved: (saved: SavedView) => void;
};

/** Saves what the grid shows under a name; one that is taken is replaced only after a yes. */
export function SaveForm({ dataset, search, items, current, onSaved }: Props) {
  const id = useId();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [asks, setAsks] = useState(false);
  const saving = useMutation({
    mutationFn: ({ to, overwrite }: { to: string; overwrite: boolean }) => api.save(dataset, to, api.specOf(search), overwrite),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: api.views(dataset).queryKey });
      say(`Saved view ${saved.name}`);
      onSaved(saved);
    },
    onError: (error) => {
      if (error instanceof Problem && error.code === "view-exists") setAsks(true);
    },
  });
  const wanted = name.trim();
  useCommands(SAVE_KEYS, {
    "views.update": () => current && saving.mutate({ to: current.name, overwrite: true }),
    "views.replace": () => asks && saving.mutate({ to: wanted, overwrite: true }),
  });
  const taken = items.find((one) => one.name === wanted);
  const failed = saving.error instanceof Problem && saving.error.code === "view-exists" ? null : saving.error;
  return (
    <form
      className="views-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wanted) return;
        if (taken) setAsks(true);
        else saving.mutate({ to: wanted, overwrite: false });
      }}
    >
      {current ? (
        <Button busy={saving.isPending} command="views.update">Update {current.name}</Button>
      ) : null}
      <label htmlFor={id}>Save what is shown as</label>
      <div className="views-line">
        <input
          id={id} className="field" value={name} maxLength={100} autoComplete="off" spellCheck={false} data-autofocus placeholder="Name of the view"
          onChange={(event) => {
            setName(event.target.value);
            setAsks(false);
          }}
        />
        <Button look="first" type="submit" busy={saving.isPending} disabled={!wanted || asks}>Save view</Button>
      </div>
      {asks ? (
        <p role="alert" className="views-asks">
          <span>{wanted} exists already{taken ? `, last changed by ${taken.changed_by}` : ""}.</span>
          <Button className="small" busy={saving.isPending} command="views.replace">Replace it</Button>
        </p>
      ) : null}
      <Failure error={failed} />
    </form>
  );
}

export function Failure({ error }: { error: Error | null }) {
  if (!error) return null;
  const fix = error instanceof Problem ? error.fix : "";
  return <p role="alert" className="said"><Words>{error.message}</Words>{fix ? <><br /><Words>{fix}</Words></> : null}</p>;
}
