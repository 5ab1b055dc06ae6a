import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { DeviceSignIn } from "@/api/schema.gen";
import { Button, Loading, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import * as api from "../api";
import { Field, Form } from "../components/form";
import { DEVICE_KEYS } from "../keys";
import "../page.css";

/** A program asks to be let in (`calotype login`): compare its code, then let it in as oneself, or refuse. */
export function DevicePage() {
  const { code = "" } = useSearch({ strict: false }) as { code?: string };
  const waiting = useQuery(api.deviceSignIn(code));
  const answering = useMutation({ mutationFn: (allow: boolean) => api.answerDevice(code, allow) });
  const canAnswer = waiting.data !== undefined && !answering.isSuccess;
  useCommands(DEVICE_KEYS, { "device.allow": () => canAnswer && answering.mutate(true), "device.refuse": () => canAnswer && answering.mutate(false) });
  return (
    <Page title="Let a program in">
      <div className="people-stack people-device">
        {code === "" ? <EnterCode /> : null}
        {waiting.isLoading ? <Loading what="the program" /> : null}
        {waiting.error ? <><ErrorState error={waiting.error} /><EnterCode /></> : null}
        {answering.isSuccess ? <Answered allowed={answering.variables} /> : null}
        {waiting.data && !answering.isSuccess ? <Question code={code} program={waiting.data} error={answering.error} isBusy={answering.isPending} /> : null}
      </div>
    </Page>
  );
}

function Question({ code, program, error, isBusy }: { code: string; program: DeviceSignIn; error: unknown; isBusy: boolean }) {
  return (
    <Panel title={program.device}>
      <div className="people-question">
        <p className="people-code mono" aria-label="Code">{code.toUpperCase()}</p>
        <dl>
          <dt>May</dt><dd>{program.scopes.join(", ")}, within what you may, for 90 days</dd>
          <dt>Comes from</dt><dd className="mono">{program.address || "unknown"}</dd>
          <dt>Asked</dt><dd><When at={program.created_at} /></dd>
        </dl>
        <p>Let it in only if you have just run <code>calotype login</code> and it shows the same code. It gets an API token of yours, which you can revoke on the page Account.</p>
        {error ? <ErrorState error={error} /> : null}
        <div className="people-answers">
          <Button look="first" command="device.allow" busy={isBusy}>Let it in</Button>
          <Button command="device.refuse" disabled={isBusy}>Refuse</Button>
        </div>
      </div>
    </Panel>
  );
}

function Answered({ allowed }: { allowed: boolean }) {
  return allowed ? (
    <EmptyState title="The program is signed in"><p>You can close this page and go on where the program runs.</p></EmptyState>
  ) : (
    <EmptyState title="The program was refused"><p>If you did not ask for it, somebody else did: nothing was given away.</p></EmptyState>
  );
}

function EnterCode() {
  const navigate = useNavigate();
  const [code, setCode] = useState("");
  return (
    <Form
      title="Enter the code that the program shows" submit="Show the program" isReady={code.replace(/[^a-z]/gi, "").length === 8} isBusy={false} error={null}
      onSubmit={() => void navigate({ to: "/device", search: { code: code.trim().toUpperCase() } })}
    >
      <Field label="Code" hint="Eight letters, such as BCDF-GHJK">
        {(id) => <input id={id} className="field mono" autoComplete="off" value={code} onChange={(event) => setCode(event.target.value)} />}
      </Field>
    </Form>
  );
}
