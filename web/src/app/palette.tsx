import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import * as queries from "@/api/queries";
import { useAllCommands } from "@/app/commands";
import { KeyHint } from "@/kit/basics";
import { compact } from "@/kit/format";
import { Picker, type Pick } from "@/kit/picker";

type Which = "palette" | "keys" | null;
let show: (which: Which) => void = () => {};
export const openPalette = () => show("palette");
export const openKeys = () => show("keys");

/** The palette (every command and dataset) and the cheat sheet (every key). */
export function Dialogs() {
  const [which, setWhich] = useState<Which>(null);
  useEffect(() => {
    show = setWhich;
  }, []);
  const close = () => setWhich(null);
  return (
    <>
      <Modal
        opened={which === "palette"} onClose={close} withCloseButton={false} padding={0} size={560} yOffset="12vh"
        transitionProps={{ duration: 0 }} overlayProps={{ backgroundOpacity: 0.35 }} title={null} aria-label="Commands" classNames={{ content: "floating" }}
      >
        <Palette onDone={close} />
      </Modal>
      <Modal
        opened={which === "keys"} onClose={close} size={720} yOffset="10vh" title="Keys" transitionProps={{ duration: 0 }}
        overlayProps={{ backgroundOpacity: 0.35 }} classNames={{ content: "floating", header: "floating-head" }} closeButtonProps={{ "aria-label": "Close" }}
      >
        <Keys />
      </Modal>
    </>
  );
}

function Palette({ onDone }: { onDone: () => void }) {
  const commands = useAllCommands();
  const navigate = useNavigate();
  const list = useQuery(queries.datasets());
  const items: Pick[] = [
    ...commands.filter((command) => !command.quiet).map((command) => ({
      id: command.id, title: command.title, group: command.group, run: command.run,
      hint: command.keys?.[0] ? <KeyHint keys={command.keys[0]} /> : null,
    })),
    ...(list.data?.items ?? []).map((dataset) => ({
      id: `dataset:${dataset.name}`, title: dataset.name, group: "Datasets",
      hint: `${compact(dataset.samples)} samples`,
      run: () => void navigate({ to: "/d/$dataset", params: { dataset: dataset.name }, search: {} }),
    })),
  ];
  items.sort((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group));
  return <Picker items={items} label="Commands" placeholder="What would you like to do?" empty="No command of that name" onDone={onDone} />;
}

const ORDER = ["Sample", "Grid", "Page", "Dataset", "Go to", "Datasets", "App"];

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
