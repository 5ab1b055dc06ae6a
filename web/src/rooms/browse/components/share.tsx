import { IconChevronDown, IconLink } from "@tabler/icons-react";
import { useRef, useState, type FocusEvent } from "react";
import type { SampleDetail } from "@/api/schema.gen";
import { keysOf } from "@/kit/commands";
import { Button, Copy, IconButton } from "@/kit/basics";
import { say } from "@/kit/said";
import { stringifySearch } from "@/kit/search";
import { quoted } from "@/api/where";
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

/** How to get in Python, on the command line and over HTTP what the page shows. */
export function recipes(dataset: string, data: Pick<SampleDetail, "id" | "name" | "commit">, search: SampleSearch, labelSet: string): { name: string; text: string }[] {
  const ref = data.commit?.slice(0, 12) ?? search.ref ?? "";
  const state = ref ? `${dataset}@${ref}` : dataset;
  const api = `${location.origin}/api/v1/datasets/${encodeURIComponent(dataset)}/samples/${data.id}${ref ? `?ref=${encodeURIComponent(ref)}` : ""}`;
  const open = ref ? `ws.dataset(${JSON.stringify(dataset)}).at(${JSON.stringify(ref)})` : `ws.dataset(${JSON.stringify(dataset)})`;
  return [
    {
      name: "Python",
      text: `import calotype as ct\n\nwith ct.open() as ws:\n    view = ${open}.where('name = ${quoted(data.name)}')\n    sample = next(iter(view))\n    annotations = view.annotations([sample.sample_id], label_set=${JSON.stringify(labelSet)})`,
    },
    { name: "CLI", text: `calotype --json samples ${shell(state)} --where ${shell(`name = ${quoted(data.name)}`)}` },
    { name: "curl", text: `curl -H "Authorization: Bearer $CALOTYPE_TOKEN" ${shell(api)}` },
  ];
}

const shell = (text: string): string => (/^[\w@./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Copy a link to this page, or how to get the same in code. */
export function Share({ dataset, data, search, labelSet }: { dataset: string; data: SampleDetail; search: SampleSearch; labelSet: string }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const leave = (event: FocusEvent) => !box.current?.contains(event.relatedTarget) && setOpen(false);
  return (
    <div ref={box} className="share" onBlur={leave} {...keysOf({ Escape: () => (open ? setOpen(false) : false) })}>
      <Button className="share-link" aria-label="Copy link" onClick={() => void copyLink(dataset, data, search)} title="Copy a link to this sample at its commit"><IconLink size={14} /><span>Copy link</span></Button>
      <IconButton label="Copy as code" aria-expanded={open} onClick={() => setOpen(!open)}><IconChevronDown size={14} /></IconButton>
      {open ? (
        <div className="floating share-menu" role="dialog" aria-label="Copy as code" tabIndex={-1}>
          {recipes(dataset, data, search, labelSet).map(({ name, text }) => (
            <section key={name} aria-label={name}>
              <header><h3>{name}</h3><Copy text={text} label={`Copy as ${name}`} /></header>
              <pre>{text}</pre>
            </section>
          ))}
        </div>
      ) : null}
    </div>
  );
}
