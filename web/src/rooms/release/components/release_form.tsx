import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { datasetChanged, datasetKey } from "@/api/cache";
import { Problem } from "@/api/client";
import { nameable } from "@/api/where";
import { Button } from "@/kit/basics";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import { overview } from "@/rooms/browse/api";
import { contract } from "@/rooms/contracts/api";
import * as api from "../api";
import { nextVersion, shares } from "./version";

const FORMATS = ["coco", "voc"] as const;

/** Freezes the working state as a version: the checks run first, and a gate that is not green stops it. */
export function ReleaseForm({ dataset, made, onDone }: { dataset: string; made: readonly string[]; onDone: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const state = useQuery(overview(dataset, ""));
  const terms = useQuery(contract(dataset, ""));
  const allowed = terms.data?.purposes ?? [];
  const [purpose, setPurpose] = useState("");
  const isSplit = (state.data?.splits ?? []).some((one) => one.name !== "");
  const [version, setVersion] = useState(nextVersion(made));
  const [isNew, setIsNew] = useState<boolean | null>(null);
  const [text, setText] = useState("train=.8, val=.1, test=.1");
  const [by, setBy] = useState("");
  const [where, setWhere] = useState("");
  const [formats, setFormats] = useState<string[]>(["coco"]);
  const splitsAnew = isNew ?? !isSplit;
  const split = splitsAnew ? shares(text) : null;
  const making = useMutation({
    mutationFn: () =>
      api.createRelease(dataset, {
        version: version.trim(), formats, split, by: splitsAnew && by ? by : null, where: where.trim() || null, purpose: purpose.trim(),
      }),
    onError: () => client.invalidateQueries({ queryKey: datasetKey(dataset, "checks") }),
    onSuccess: async (release) => {
      say(`Released ${release.version}`);
      await datasetChanged(client, dataset);
      onDone();
      await navigate({ to: "/d/$dataset/releases/$version", params: { dataset, version: release.version } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    making.mutate();
  };
  const fields = (state.data?.fields ?? []).filter((field) => nameable(field.name));
  const isReady = version.trim() !== "" && formats.length > 0 && (!splitsAnew || split !== null) && !terms.isPending && (allowed.length === 0 || purpose !== "");
  return (
    <form className="make" onSubmit={submit}>
      <h2>Make a release of {dataset}</h2>
      <Field label="Version">{(id) => <input id={id} className="field" value={version} onChange={(e) => setVersion(e.target.value)} autoFocus />}</Field>
      <Field label="Purpose">
        {(id) => allowed.length || terms.isPending ? (
          <select id={id} className="field" value={purpose} disabled={terms.isPending} onChange={(e) => setPurpose(e.target.value)}>
            <option value="" disabled>choose one that the contract allows</option>
            {allowed.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        ) : <input id={id} className="field" value={purpose} maxLength={500} placeholder="not named" onChange={(e) => setPurpose(e.target.value)} />}
      </Field>
      <Field label="Splits">
        {(id) => (
          <select id={id} className="field" value={splitsAnew ? "new" : "kept"} onChange={(e) => setIsNew(e.target.value === "new")}>
            <option value="kept" disabled={!isSplit}>as they are</option>
            <option value="new">assign them anew</option>
          </select>
        )}
      </Field>
      {splitsAnew ? (
        <>
          <Field label="Shares" said={split ? "" : "name=share, separated by commas, at most 1 together"}>
            {(id) => <input id={id} className="field mono" value={text} onChange={(e) => setText(e.target.value)} aria-invalid={!split} />}
          </Field>
          <Field label="Keep together">
            {(id) => (
              <select id={id} className="field" value={by} onChange={(e) => setBy(e.target.value)}>
                <option value="">nothing but copies</option>
                {fields.map((field) => <option key={field.name} value={field.name}>samples with the same {field.name}</option>)}
              </select>
            )}
          </Field>
        </>
      ) : null}
      <Field label="Only samples">{(id) => <input id={id} className="field mono" value={where} placeholder="all; or a query" onChange={(e) => setWhere(e.target.value)} />}</Field>
      <fieldset>
        <legend>Formats</legend>
        {FORMATS.map((name) => (
          <label key={name}>
            <input
              type="checkbox" checked={formats.includes(name)}
              onChange={(e) => setFormats(e.target.checked ? [...formats, name] : formats.filter((one) => one !== name))}
            />
            {name}
          </label>
        ))}
      </fieldset>
      {making.error ? <Refused error={making.error} dataset={dataset} onDone={onDone} /> : null}
      <footer>
        <span className="dim">The checks run first; a red gate stops it.</span>
        <Button onClick={onDone}>Cancel</Button>
        <Button look="first" type="submit" busy={making.isPending} disabled={!isReady}>{making.isPending ? "Testing and freezing…" : "Release"}</Button>
      </footer>
    </form>
  );
}

function Field({ label, said, children }: { label: string; said?: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="make-field">
      <label htmlFor={id}>{label}</label>
      <div>
        {children(id)}
        {said ? <p className="make-said">{said}</p> : null}
      </div>
    </div>
  );
}

/** Why there is no release: gate by gate. */
function Refused({ error, dataset, onDone }: { error: Error; dataset: string; onDone: () => void }) {
  const problem = error instanceof Problem ? error : null;
  const [head = "", ...gates] = (problem?.detail ?? error.message).split(/(?:: |; )(?=gate )/);
  return (
    <div className="make-refused" role="alert">
      <p><strong><Words>{head}</Words></strong></p>
      <ul>{gates.map((gate) => <li key={gate}><Words>{gate}</Words></li>)}</ul>
      {problem?.fix ? <p><span>Fix:</span> <Words>{problem.fix}</Words></p> : null}
      {gates.length ? <Link to="/d/$dataset/checks" params={{ dataset }} search={{}} className="link" onClick={onDone}>Look at the checks</Link> : null}
    </div>
  );
}
