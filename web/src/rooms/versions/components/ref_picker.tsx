import { Popover } from "@mantine/core";
import { IconChevronDown, IconGitBranch, IconGitCommit, IconPencil, IconTag } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useCommands } from "@/kit/commands";
import { ago, short } from "@/kit/format";
import { Picker, type Pick } from "@/kit/picker";
import { overview } from "@/rooms/browse/api";
import * as api from "../api";
import { PICKER_KEYS } from "../keys";

const ICONS = { branch: IconGitBranch, tag: IconTag, commit: IconGitCommit };

/** Which state of the dataset is shown: the working state, a branch, a tag or a commit. */
export function RefPicker({ dataset, current }: { dataset: string; current: string }) {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const refs = useQuery(api.refs(dataset));
  const log = useQuery({ ...api.log(dataset, "", 30), enabled: open });
  const state = useQuery(overview(dataset, current));
  useCommands(PICKER_KEYS, { "ref.pick": () => setOpen(true) });

  const known = refs.data?.items.find((ref) => ref.name === current);
  const kind = !current || known?.kind === "branch" ? "branch" : known ? "tag" : "commit";
  const Icon = ICONS[kind];
  const dirty = state.data?.dirty ?? false;
  const name = kind === "commit" ? short(current) : current || (dirty ? "working state" : "main");
  const to = (ref: string | undefined) => () =>
    void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, ref, at: undefined }) } as never);

  const items: Pick[] = [
    {
      id: "working", title: "Working state of main", group: "Current", icon: <IconPencil size={14} />,
      hint: dirty && !current ? "uncommitted changes" : "", run: to(undefined),
    },
    ...(refs.data?.items ?? []).map((ref) => {
      const RefIcon = ref.kind === "branch" ? IconGitBranch : IconTag;
      return {
        id: `ref:${ref.name}`, title: ref.name, group: ref.kind === "branch" ? "Branches" : "Tags", icon: <RefIcon size={14} />,
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
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={360} trapFocus returnFocus shadow="none">
      <Popover.Target>
        <button
          type="button" className="ref-button" onClick={() => setOpen(!open)} aria-haspopup="listbox"
          aria-label={`State shown: ${current ? `${kind} ` : ""}${name}${dirty ? ", with uncommitted changes" : ""}`}
        >
          <Icon size={14} />
          <span className="cut">{name}</span>
          {dirty ? <i className="dirty" title="Uncommitted changes" /> : null}
          <IconChevronDown size={12} />
        </button>
      </Popover.Target>
      <Popover.Dropdown className="floating">
        <Picker items={items} label="Branch, tag or commit" placeholder="Branch, tag or commit" empty="No match" onDone={() => setOpen(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}
