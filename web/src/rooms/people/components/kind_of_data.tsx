import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DatasetClassification } from "@/api/schema.gen";
import { Loading, Pill } from "@/kit/basics";
import { Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { Field, Form } from "./form";

/** What each class of data asks of people. */
const CLASSES = {
  public: "anybody may have it",
  internal: "for the organisation; what nobody has classified is internal",
  confidential: "for those who need it",
  personal: "about people: exported and released only with a role in the team or on the dataset",
} as const satisfies Record<DatasetClassification["class"], string>;
const TONE = { public: "plain", internal: "plain", confidential: "accent", personal: "bad" } as const;

/** What kind of data a dataset holds, which rules depend on; whoever may classify it changes it here. */
export function KindOfData({ dataset }: { dataset: string }) {
  const asked = useQuery(api.classification(dataset));
  const may = useQuery(api.why("dataset.classify", `dataset:${dataset}`));
  if (asked.error) return null; // the answer above says that this dataset does not exist for whoever asks
  return (
    <Panel title={`What ${dataset} holds`}>
      {asked.isPending || may.isPending ? <Loading what="what it holds" rows={3} /> : null}
      {asked.data && may.data?.allowed ? <Classify key={JSON.stringify(asked.data)} data={asked.data} /> : null}
      {asked.data && may.data?.allowed === false ? <Shown data={asked.data} /> : null}
    </Panel>
  );
}

function Shown({ data }: { data: DatasetClassification }) {
  return (
    <dl className="facts access-why">
      <dt>Class</dt>
      <dd><Pill tone={TONE[data.class]}>{data.class}</Pill> <span className="dim">{CLASSES[data.class]}</span></dd>
      <dt>Licence</dt>
      <dd>{data.licence || <span className="dim">not set</span>}</dd>
      <dt>Purposes of releases</dt>
      <dd>{data.purposes.join(", ") || <span className="dim">any</span>}</dd>
      <dt>Hold</dt>
      <dd>{data.hold ? <>{data.hold} <span className="dim">nothing is deleted</span></> : <span className="dim">none</span>}</dd>
    </dl>
  );
}

function Classify({ data }: { data: DatasetClassification }) {
  const client = useQueryClient();
  const [kind, setKind] = useState(data.class);
  const [licence, setLicence] = useState(data.licence);
  const [purposes, setPurposes] = useState(data.purposes.join(", "));
  const [hold, setHold] = useState(data.hold);
  const listed = purposes.split(",").map((one) => one.trim()).filter(Boolean);
  const changed = kind !== data.class || licence.trim() !== data.licence || listed.join() !== data.purposes.join() || hold.trim() !== data.hold;
  const saving = useMutation({
    mutationFn: () => api.classify(data.dataset, { class: kind, licence, purposes: listed, hold }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: api.PEOPLE });
      say(`${data.dataset} is ${kind}`);
    },
  });
  return (
    <Form title="" submit="Save" isReady={changed} isBusy={saving.isPending} error={saving.error} onSubmit={() => saving.mutate()}>
      <Field label="Class" hint={CLASSES[kind]}>
        {(id) => (
          <select id={id} className="field" value={kind} onChange={(event) => setKind(event.target.value as DatasetClassification["class"])}>
            {Object.keys(CLASSES).map((one) => <option key={one}>{one}</option>)}
          </select>
        )}
      </Field>
      <Field label="Licence">{(id) => <input id={id} className="field" value={licence} maxLength={200} placeholder="not set" onChange={(event) => setLicence(event.target.value)} />}</Field>
      <Field label="Purposes of releases" hint="Separated by commas; a release names one of them. Empty allows any.">
        {(id) => <input id={id} className="field" value={purposes} placeholder="any" onChange={(event) => setPurposes(event.target.value)} />}
      </Field>
      <Field label="Hold" hint="Why nothing may be deleted, such as a legal case. Empty releases the hold; the audit trail records it.">
        {(id) => <input id={id} className="field" value={hold} maxLength={200} placeholder="none" onChange={(event) => setHold(event.target.value)} />}
      </Field>
    </Form>
  );
}
