import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { datasetChanged, datasetKey } from "@/api/cache";
import { Problem } from "@/api/client";
import { RELEASE_FORMATS } from "@/api/schema.gen";
import { nameable } from "@/api/where";
import { Button } from "@/kit/basics";
import { ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import { overview } from "@/rooms/browse/api";
import { RunStanding } from "@/rooms/checks/panel";
import { contract } from "@/rooms/contracts/api";
import { log } from "@/rooms/versions/api";
import * as api from "../api";
import { Planned } from "./planned";
import { nextVersion, shares } from "./version";

type Format = (typeof RELEASE_FORMATS)[number];

/** Releases the working state as a version: the checks run first, and a gate that is not green stops it. */
export function ReleaseForm({ dataset, versions, onDone }: { dataset: string; versions: readonly string[]; onDone: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const state = useQuery(overview(dataset, ""));
  const terms = useQuery(contract(dataset, ""));
  const plan = useQuery(api.plan(dataset));
  const [accepted, setAccepted] = useState(false);
  const allowed = terms.data?.purposes ?? [];
  const [purpose, setPurpose] = useState("");
  const head = useQuery(log(dataset, "", 1)).data?.items[0]?.id;
  const isSplit = (state.data?.splits ?? []).some((one) => one.name !== "");
  const [version, setVersion] = useState(nextVersion(versions));
  const [isNew, setIsNew] = useState<boolean | null>(null);
  const [text, setText] = useState("train=.8, val=.1, test=.1");
  const [by, setBy] = useState("");
  const [where, setWhere] = useState("");
  const [formats, setFormats] = useState<Format[]>(["coco"]);
  const isSplitNew = isNew ?? !isSplit;
  const split = isSplitNew ? shares(text) : null;
  const creating = useMutation({
    meta: { job: `Release of ${dataset}` },
    mutationFn: () =>
      api.createRelease(dataset, {
        version: version.trim(), formats, split, by: isSplitNew && by ? by : null, where: where.trim() || null, purpose: purpose.trim(),
        uncommitted: accepted,
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
    creating.mutate();
  };
  const fields = (state.data?.fields ?? []).filter((field) => nameable(field.name));
  const isReady = version.trim() !== "" && formats.length > 0 && (!isSplitNew || split !== null) && !terms.isPending && (allowed.length === 0 || purpose !== "") &&
    plan.data !== undefined && (plan.data.uncommitted === null || accepted);
  return (
    <form className="make" onSubmit={submit}>
      <h2>New release of {dataset}</h2>
      <Field label="Version">{(id) => <input id={id} className="field" value={version} onChange={(e) => setVersion(e.target.value)} autoFocus />}</Field>
      <Field label="Purpose">
        {(id) => allowed.length || terms.isPending ? (
          <select id={id} className="field" value={purpose} disabled={terms.isPending} onChange={(e) => setPurpose(e.target.value)}>
            <option value="" disabled>select a purpose from the contract</option>
            {allowed.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        ) : <input id={id} className="field" value={purpose} maxLength={500} placeholder="not set" onChange={(e) => setPurpose(e.target.value)} />}
      </Field>
      <Field label="Splits">
        {(id) => (
          <select id={id} className="field" value={isSplitNew ? "new" : "kept"} onChange={(e) => setIsNew(e.target.value === "new")}>
            <option value="kept" disabled={!isSplit}>keep the existing splits</option>
            <option value="new">create new splits</option>
          </select>
        )}
      </Field>
      {isSplitNew ? (
        <>
          <Field label="Shares" hint={split ? "" : "Enter name=share pairs, separated by commas, with a total of at most 1"}>
            {(id) => <input id={id} className="field mono" value={text} onChange={(e) => setText(e.target.value)} aria-invalid={!split} />}
          </Field>
          <Field label="Keep together">
            {(id) => (
              <select id={id} className="field" value={by} onChange={(e) => setBy(e.target.value)}>
                <option value="">duplicates only</option>
                {fields.map((field) => <option key={field.name} value={field.name}>samples with the same {field.name}</option>)}
              </select>
            )}
          </Field>
        </>
      ) : null}
      <Field label="Filter">{(id) => <input id={id} className="field mono" value={where} placeholder="a query; leave empty for all samples" onChange={(e) => setWhere(e.target.value)} />}</Field>
      <fieldset>
        <legend>Formats</legend>
        <div className="formats">
          {RELEASE_FORMATS.map((name) => (
            <label key={name}>
              <input
                type="checkbox" checked={formats.includes(name)}
                onChange={(e) => setFormats(e.target.checked ? [...formats, name] : formats.filter((one) => one !== name))}
              />
              {name}
            </label>
          ))}
        </div>
      </fieldset>
      {plan.data ? <Planned dataset={dataset} plan={plan.data} head={head} accepted={accepted} onAccept={setAccepted} /> : null}
      {plan.error ? <ErrorState error={plan.error} onRetry={() => void plan.refetch()} /> : null}
      {creating.error ? <Refused error={creating.error} dataset={dataset} onDone={onDone} /> : null}
      <footer>
        <span className="dim">The checks run first; a gate that is not green stops the release. <RunStanding dataset={dataset} refName="" /></span>
        <Button onClick={onDone}>Cancel</Button>
        <Button look="first" type="submit" busy={creating.isPending} disabled={!isReady}>{creating.isPending ? "Releasing…" : "Release"}</Button>
      </footer>
    </form>
  );
}

function Field({ label, hint, children }: { label: string; hint?: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="make-field">
      <label htmlFor={id}>{label}</label>
      <div>
        {children(id)}
        {hint ? <p className="make-said">{hint}</p> : null}
      </div>
    </div>
  );
}

/** Why the release was refused, gate by gate. */
function Refused({ error, dataset, onDone }: { error: Error; dataset: string; onDone: () => void }) {
  const problem = error instanceof Problem ? error : null;
  const [head = "", ...gates] = (problem?.detail ?? error.message).split(/(?:: |; )(?=gate )/);
  return (
    <div className="make-refused" role="alert">
      <p><strong><Words>{head}</Words></strong></p>
      <ul>{gates.map((gate) => <li key={gate}><Words>{gate}</Words></li>)}</ul>
      {problem?.fix ? <p><span>Fix:</span> <Words>{problem.fix}</Words></p> : null}
      {gates.length ? <Link to="/d/$dataset/checks" params={{ dataset }} search={{}} className="link" onClick={onDone}>Open the checks</Link> : null}
    </div>
  );
}
