import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { FOUND, useFinds } from "@/app/finds";
import { IconButton, KeyHint } from "@/kit/basics";
import { GROUPS, useAllCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { compact } from "@/kit/format";
import { Picker, type Pick } from "@/kit/picker";
import { datasets } from "@/rooms/datasets/api";

type Which = "palette" | "keys" | null;
let show: (which: Which) => void = () => {};
export const openPalette = () => show("palette");
export const openKeys = () => show("keys");

/** The palette (every command, and what the workspace holds by name) and the list of keyboard shortcuts. */
export function Dialogs() {
  const [which, setWhich] = useState<Which>(null);
  useEffect(() => {
    show = setWhich;
  }, []);
  const close = () => setWhich(null);
  return (
    <>
      <Dialog open={which === "palette"} onClose={close} label="Commands">
        <Palette onDone={close} />
      </Dialog>
      <Dialog open={which === "keys"} onClose={close} label="Keyboard shortcuts" className="wide">
        <header className="dialog-head">
          <h2>Keyboard shortcuts</h2>
          <IconButton label="Close" onClick={close}><IconX size={16} /></IconButton>
        </header>
        <Keys />
      </Dialog>
    </>
  );
}

function Palette({ onDone }: { onDone: () => void }) {
  const commands = useAllCommands();
  const navigate = useNavigate();
  const list = useQuery(datasets());
  const [typed, setTyped] = useState("");
  const finds = useFinds(typed);
  const items: Pick[] = [
    ...commands.filter((command) => !command.quiet).map((command) => ({
      id: command.id, title: command.title, group: command.group, run: command.run,
      hint: command.keys?.[0] ? <KeyHint keys={command.keys[0]} /> : null,
    })),
    ...(list.data?.items ?? []).map((dataset) => ({
      id: `dataset:${dataset.name}`, title: dataset.name, group: "Datasets",
      hint: `${compact(dataset.samples)} samples`,
      run: () => void navigate({ to: "/d/$dataset", params: { dataset: dataset.name }, search: { ref: undefined } }),
    })),
    ...finds,
  ];
  items.sort((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group));
  return <Picker items={items} label="Commands" placeholder="Search pages, datasets, samples, classes, findings, checks, releases, commits" empty="No match" onType={setTyped} onDone={onDone} />;
}

const ORDER: readonly string[] = [...GROUPS, ...FOUND];

function Keys() {
  const commands = useAllCommands().filter((command) => command.keys?.length);
  const groups = [...new Set(commands.map((command) => command.group))].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return (
    <div className="cheat-sheet">
      {groups.map((group) => (
        <section key={group}>
          <h2>{group}</h2>
          <dl>
            {commands.filter((command) => command.group === group).map((command) => (
              <div key={command.id}>
                <dt>{command.title}</dt>
                <dd>{command.keys?.map((keys) => <KeyHint key={keys} keys={keys} />)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
