import { Popover } from "@mantine/core";
import { IconChevronDown, IconGitBranch, IconGitCommit, IconLock, IconTag } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { branchOf, MAIN, workingState } from "@/kit/branch";
import { useCommands } from "@/kit/commands";
import { ago, short } from "@/kit/format";
import { Picker, type Pick } from "@/kit/picker";
import { overview } from "@/rooms/browse/api";
import * as api from "../api";
import { PICKER_KEYS } from "../keys";
import { NewBranch } from "./branches";

const ICONS = { branch: IconGitBranch, tag: IconTag, commit: IconGitCommit };

/** Which state of the dataset is shown: the branch one works on, the last commit of a branch, a tag or a commit. */
export function RefPicker({ dataset, current }: { dataset: string; current: string }) {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const refs = useQuery(api.refs(dataset));
  const log = useQuery({ ...api.log(dataset, "", 30), enabled: open });
  const state = useQuery(overview(dataset, current));
  useCommands(PICKER_KEYS, { "ref.pick": () => setOpen(true) });

  const branch = branchOf(current);
  const known = refs.data?.items.find((ref) => ref.name === (branch ?? current));
  const kind = branch || known?.kind === "branch" ? "branch" : known ? "tag" : "commit";
  const Icon = ICONS[kind];
  const dirty = state.data?.dirty ?? false;
  const name = branch ?? (kind === "commit" ? short(current) : current);
  const isCommitted = branch === null && kind === "branch";
  const branches = (refs.data?.items ?? []).filter((ref) => ref.kind === "branch");
  const to = (ref: string | undefined) => () =>
    void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, ref, at: undefined }) } as never);

  const items: Pick[] = [
    ...(branches.length ? branches : [{ name: MAIN, protection: null }]).map(({ name: one, protection }) => ({
      id: `work:${one}`, title: one, group: "Work on a branch", icon: protection ? <IconLock size={14} /> : <IconGitBranch size={14} />,
      hint: one === branch ? (dirty ? "current, with uncommitted changes" : "current") : protection ? "protected" : "", run: to(workingState(one) || undefined),
    })),
    ...(refs.data?.items ?? []).map((ref) => {
      const RefIcon = ref.kind === "branch" ? IconGitCommit : IconTag;
      return {
        id: `ref:${ref.name}`, title: ref.kind === "branch" ? `Last commit of ${ref.name}` : ref.name,
        group: ref.kind === "branch" ? "Branches, as committed" : "Tags", icon: <RefIcon size={14} />,
        hint: <span className="mono">{ref.commit ? short(ref.commit) : "no commit yet"}</span>,
        run: to(ref.name),
      };
    }),
    ...(log.data?.items ?? []).map((commit) => ({
      id: `commit:${commit.id}`, title: commit.message || "(no message)", group: "Commits", icon: <IconGitCommit size={14} />,
      hint: <span className="mono">{short(commit.id)} {ago(commit.at, Date.now())}</span>, run: to(commit.id.slice(0, 12)),
    })),
  ];
  return (
    <>
    <NewBranch dataset={dataset} from={current} />
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={360} trapFocus returnFocus shadow="none">
      <Popover.Target>
        <button
          type="button" className="ref-button" data-command="ref.pick" onClick={() => setOpen(!open)} aria-haspopup="listbox" data-branch={branch !== null && branch !== MAIN}
          aria-label={`State shown: ${isCommitted ? "last commit of " : ""}${kind} ${name}${dirty ? ", with uncommitted changes" : ""}`}
          title={branch ? `You work on ${branch} (b to switch)` : `${isCommitted ? `The last commit of ${name}` : `A ${kind}`}: nothing can be edited here (b to switch)`}
        >
          <Icon size={14} />
          <span className="cut">{isCommitted ? `${name}, committed` : name}</span>
          {dirty ? <i className="dirty" title="Uncommitted changes" /> : null}
          <IconChevronDown size={12} />
        </button>
      </Popover.Target>
      <Popover.Dropdown className="floating">
        <Picker items={items} label="Branch, tag or commit" placeholder="Branch, tag or commit" empty="No match" onDone={() => setOpen(false)} />
      </Popover.Dropdown>
    </Popover>
    </>
  );
}
