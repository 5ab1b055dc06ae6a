import { IconGitBranch, IconLock } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Button } from "@/kit/basics";
import { branchOf, workingState } from "@/kit/branch";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import * as api from "../api";
import { BRANCH_KEYS } from "../keys";

/** The branch that a page works on, and whether it can be edited there. `branch` is null on a commit, a tag or a last commit. */
export function useBranch(dataset: string, ref: string): { branch: string | null; isProtected: boolean; editable: boolean } {
  const branch = branchOf(ref);
  const refs = useQuery({ ...api.refs(dataset), enabled: branch !== null });
  const isProtected = Boolean(refs.data?.items.find((one) => one.name === branch && one.kind === "branch")?.protection);
  return { branch, isProtected, editable: branch !== null && !isProtected };
}

/** Why nothing can be edited on a protected branch, and the way out: a branch of one's own, to be merged. */
export function ProtectedNote({ branch }: { branch: string }) {
  return (
    <section className="staged-offer" aria-label="Protected branch">
      <IconLock size={14} />
      <p>{branch} is protected: it changes by merges only. Edit on another branch, then merge it into {branch}.</p>
      <Button className="small" command="branch.create"><IconGitBranch size={13} /> Create a branch</Button>
    </section>
  );
}

/** The command that creates a branch from what is shown, and its form. */
export function NewBranch({ dataset, from }: { dataset: string; from: string }) {
  const [open, setOpen] = useState(false);
  useCommands(BRANCH_KEYS, { "branch.create": () => setOpen(true) });
  return <Dialog open={open} onClose={() => setOpen(false)} label="Create a branch"><BranchForm dataset={dataset} from={from} onDone={() => setOpen(false)} /></Dialog>;
}

function BranchForm({ dataset, from, onDone }: { dataset: string; from: string; onDone: () => void }) {
  const id = useId();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const wanted = name.trim();
  const start = branchOf(from) ?? from;
  const creating = useMutation({
    mutationFn: () => api.createBranch(dataset, wanted, start),
    onSuccess: async () => {
      say(`Created branch ${wanted}; you work on it now`);
      onDone();
      await datasetChanged(client, dataset);
      await navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, ref: workingState(wanted), at: undefined }) } as never);
    },
  });
  return (
    <form
      className="act"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted) creating.mutate();
      }}
    >
      <h2>Create a branch</h2>
      <p className="dim">It starts at the last commit of {start}. Edits and commits then go to the branch until you switch back.</p>
      <label htmlFor={id}>Name</label>
      <input id={id} className="field" value={name} autoFocus maxLength={100} autoComplete="off" spellCheck={false} onChange={(event) => setName(event.target.value)} />
      {creating.error ? <p role="alert" className="said"><Words>{creating.error.message}</Words></p> : null}
      <footer>
        <Button onClick={onDone}>Cancel</Button>
        <Button look="first" type="submit" busy={creating.isPending} disabled={!wanted}>Create</Button>
      </footer>
    </form>
  );
}
