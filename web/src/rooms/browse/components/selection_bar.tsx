import { IconChartDots3, IconClipboardList, IconCode, IconPhotoSearch, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Overview } from "@/api/schema.gen";
import { oneOfIds } from "@/api/where";
import { everything, NOTHING, single, size, type Selection } from "@/grid/selection";
import { Button, IconButton, KeyHint } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import * as api from "../api";
import { SAMPLES_KEYS, SELECTION_EDIT_KEYS, SELECTION_KEYS, STOP_KEYS } from "../keys";
import type { GridSearch } from "../search";
import { BulkForm, FORMS, type FormName } from "./bulk_form";
import { idsOf, type Bulk } from "./bulk";
import { ObjectBar } from "./object_bar";

type Props = {
  dataset: string;
  refName: string;
  search: GridSearch;
  data: Overview | undefined;
  selection: Selection;
  total: number;
  bulk: Bulk;
  editable: boolean;
  onSelection: (next: Selection) => void;
  onWhere: (where: string) => void;
  onMap: (where: string) => void;
};

/** Ids that fit into a query in the address. */
const NAMED = 100;

/** What can be done with the chosen samples, or objects. Nothing is shown where none is. */
export function SelectionBar(props: Props) {
  const { selection, bulk } = props;
  const { running, problem } = bulk.state;
  const n = size(selection);
  return (
    <>
      {problem ? (
        <div role="alert" className="staged-problem">
          <p><Words>{problem.detail}</Words>{problem.fix ? <>. <Words>{problem.fix}</Words></> : null}</p>
          <IconButton className="small" label="Dismiss" onClick={bulk.dismiss}><IconX size={13} /></IconButton>
        </div>
      ) : null}
      {running && running.total > 1 ? (
        <section className="selection-bar" aria-label="Progress">
          <span role="status" className="selection-count">{running.title}</span>
          <progress max={running.total} value={running.done} aria-label={running.title} />
          <span className="num dim">{count(running.done)} of {count(running.total)}</span>
          <Stop run={bulk.stop} />
          <Button className="small" command="selection.stop">Stop</Button>
        </section>
      ) : n === 0 ? null : props.search.show === "objects" ? <ObjectBar {...props} /> : <Chosen {...props} n={n} />}
    </>
  );
}

function Chosen({ dataset, refName, search, data, selection, total, bulk, editable, onSelection, onWhere, onMap, n }: Props & { n: number }) {
  const [form, setForm] = useState<FormName | null>(null);
  const models = useQuery({ ...api.vectorModels(dataset), enabled: n === 1 });
  const model = [...(models.data?.items ?? [])].sort((a, b) => b.samples - a.samples)[0]?.model;
  const isAll = n === total && !search.within;
  useCommands(SELECTION_KEYS, {
    "selection.clear": () => (form ? setForm(null) : onSelection(NOTHING)),
    "selection.copy": () => void bulk.copyIds(selection, total),
  });

  /** A query for exactly these samples; null where they are too many to name. */
  const asQuery = async (): Promise<string | null> => {
    if (isAll) return search.where ?? "";
    return n <= NAMED ? oneOfIds(await idsOf(dataset, refName, search, selection, total)) : null;
  };
  const similar = async () => {
    const [id] = await idsOf(dataset, refName, search, selection, total);
    if (!id || !model) return;
    const { items } = await api.nearest(dataset, id, model, NAMED - 1);
    onWhere(oneOfIds([id, ...items.map((item) => item.sample_id)]));
  };
  const attempt = (task: () => Promise<unknown>) => void task().catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
  const copyQuery = async () => {
    const where = await asQuery();
    if (where === null) return;
    await navigator.clipboard.writeText(where);
    say("Query copied");
  };
  const canName = isAll || n <= NAMED;
  const tooMany = `For up to ${NAMED} samples, or for all that match`;
  useCommands(SAMPLES_KEYS, {
    "selection.query": () => canName && attempt(copyQuery),
    "selection.map": () => canName && attempt(async () => onMap((await asQuery()) ?? "")),
    "selection.similar": () => attempt(similar),
  });
  if (form) {
    return (
      <section className="selection-bar" aria-label="Selection">
        <Count n={n} />
        <BulkForm name={form} data={data} onDone={() => setForm(null)} onEdit={(edit) => { setForm(null); void bulk.apply(edit, selection, total); }} />
      </section>
    );
  }
  return (
    <section className="selection-bar" aria-label="Selection">
      {editable ? <EditKeys onForm={setForm} /> : null}
      <Count n={n} />
      {n < total ? <Button look="quiet" className="small" command="grid.all" onClick={() => onSelection(everything(total))}>Select all {count(total)}</Button> : null}
      <span className="selection-tools">
        {editable ? FORMS.map(({ name, title, keys, command }) => (
          <Button key={name} className="small" command={command}>{title} <KeyHint keys={keys} /></Button>
        )) : null}
      </span>
      <span className="selection-tools">
        <IconButton className="small" label="Copy the ids" command="selection.copy"><IconClipboardList size={16} /></IconButton>
        <IconButton className="small" label="Copy as a query" disabled={!canName} title={canName ? "Copy as a query" : tooMany} command="selection.query"><IconCode size={16} /></IconButton>
        <IconButton
          className="small" label="Show on the map" disabled={!canName} title={canName ? "Show on the map; other samples are faint there" : tooMany}
          command="selection.map"
        >
          <IconChartDots3 size={16} />
        </IconButton>
        <IconButton
          className="small" label="Similar images" disabled={single(selection) < 0 || !model} command="selection.similar"
          title={single(selection) < 0 ? "Select one sample to see similar images" : model ? `Images that look like it, by ${model}` : `No embeddings: run \`calotype embed ${dataset}\``}
        >
          <IconPhotoSearch size={16} />
        </IconButton>
        <IconButton className="small" label="Clear the selection" command="selection.clear"><IconX size={15} /></IconButton>
      </span>
    </section>
  );
}

const Count = ({ n }: { n: number }) => <span className="selection-count" aria-live="polite">{count(n)} selected</span>;

function Stop({ run }: { run: () => void }) {
  useCommands(STOP_KEYS, { "selection.stop": run });
  return null;
}

function EditKeys({ onForm }: { onForm: (name: FormName) => void }) {
  useCommands(SELECTION_EDIT_KEYS, {
    "selection.split": () => onForm("split"), "selection.tag": () => onForm("add"), "selection.untag": () => onForm("remove"), "selection.field": () => onForm("field"),
  });
  return null;
}
