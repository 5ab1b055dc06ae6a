import { IconChevronDown, IconLink } from "@tabler/icons-react";
import { useRef, useState, type FocusEvent } from "react";
import type { SampleDetail } from "@/api/schema.gen";
import { keysOf } from "@/kit/commands";
import { Button, IconButton } from "@/kit/basics";
import { Snippets } from "@/kit/copy_as";
import { say } from "@/kit/said";
import { stringifySearch } from "@/kit/search";
import type { SampleSearch } from "../search";

/** The link to what a page shows: pinned to its commit, or moving where there are uncommitted edits. */
export function linkTo(dataset: string, data: Pick<SampleDetail, "id" | "commit">, search: SampleSearch): string {
  const { ref, labels, hide, ann, where, sort } = search;
  const path = `/d/${encodeURIComponent(dataset)}/samples/${encodeURIComponent(data.id)}`;
  return location.origin + path + stringifySearch({ ref: data.commit ?? ref, labels, hide, ann, where, sort });
}

export async function copyLink(dataset: string, data: SampleDetail, search: SampleSearch): Promise<void> {
  await navigator.clipboard.writeText(linkTo(dataset, data, search));
  say(data.commit ? `Link copied, pinned to commit ${data.commit.slice(0, 8)}` : "Link copied. It follows the working state, which has uncommitted edits");
}

/** Copy a link to this page, or how to get the same in code. */
export function Share({ dataset, data, search, labelSet }: { dataset: string; data: SampleDetail; search: SampleSearch; labelSet: string }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const leave = (event: FocusEvent) => !box.current?.contains(event.relatedTarget) && setOpen(false);
  return (
    <div ref={box} className="share" onBlur={leave} {...keysOf({ Escape: () => (open ? setOpen(false) : false) })}>
      <Button className="share-link" aria-label="Copy link" command="sample.link" title="Copy a link to this sample at its commit"><IconLink size={14} /><span>Copy link</span></Button>
      <IconButton label="Copy as code" aria-expanded={open} onClick={() => setOpen(!open)}><IconChevronDown size={14} /></IconButton>
      {open ? (
        <div className="floating share-menu" role="dialog" aria-label="Copy as code" tabIndex={-1}>
          <Snippets panel="sample" shown={{ dataset, ref: data.commit?.slice(0, 12) ?? search.ref, id: data.id, name: data.name, labelSet }} />
        </div>
      ) : null}
    </div>
  );
}
