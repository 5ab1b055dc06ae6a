import { Popover } from "@mantine/core";
import { IconCode } from "@tabler/icons-react";
import { useState } from "react";
import { snippets, type Panel, type PanelOf } from "@/api/snippets";
import { Copy, IconButton } from "@/kit/basics";
import { say } from "@/kit/said";

/** How to get what a panel shows or does in Python, on the command line and over HTTP, to copy. */
export function CopyAs<P extends Panel>({ panel, shown }: { panel: P; shown: PanelOf<P> }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={460} trapFocus returnFocus withRoles={false} shadow="none">
      <Popover.Target>
        <IconButton label="Copy as code" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}><IconCode size={16} /></IconButton>
      </Popover.Target>
      <Popover.Dropdown className="floating copy-as" role="dialog" aria-label="Copy as code">
        <Snippets panel={panel} shown={shown} />
      </Popover.Dropdown>
    </Popover>
  );
}

/** The snippets of a panel, each with its button. */
export function Snippets<P extends Panel>({ panel, shown }: { panel: P; shown: PanelOf<P> }) {
  return snippets(panel, shown).map(({ name, text }) => (
    <section key={name} className="snippet" aria-label={name}>
      <header><h3>{name}</h3><Copy text={text} label={`Copy as ${name}`} /></header>
      <pre>{text}</pre>
    </section>
  ));
}

/** Copies the command of a grid, or its request where no command can ask for it. */
export async function copyCommand(shown: PanelOf<"grid">): Promise<void> {
  const known = snippets("grid", shown);
  const chosen = known.find(({ name }) => name === "CLI") ?? known.at(-1);
  await navigator.clipboard.writeText(chosen?.text ?? "").catch(() => undefined);
  say(chosen?.name === "CLI" ? "Command copied" : "Request copied");
}
