import { useId, type FormEvent, type ReactNode } from "react";
import { Problem } from "@/api/client";
import { Button } from "@/kit/basics";
import { NextSteps } from "@/kit/next_steps";
import { sentence } from "@/kit/page";
import { Words } from "@/kit/words";

/** A short form: a heading, its fields, one button; what the server refuses stands above the button. */
export function Form({ title, submit, isReady, isBusy, error, onSubmit, children }: {
  title: string;
  submit: string;
  isReady: boolean;
  isBusy: boolean;
  error: unknown;
  onSubmit: () => void;
  children: ReactNode;
}) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !isBusy) onSubmit();
  };
  return (
    <form className="people-form" onSubmit={send}>
      {title ? <h2>{title}</h2> : null}
      {children}
      <div role="alert" className="said">{error ? <Refusal error={error} /> : null}</div>
      <Button look="first" type="submit" busy={isBusy} disabled={!isReady}>{submit}</Button>
    </form>
  );
}

/** A label with its field. */
export function Field({ label, hint, children }: { label: string; hint?: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="people-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint ? <span className="dim">{hint}</span> : null}
    </div>
  );
}

/** What the server refused, and how to fix it. */
function Refusal({ error }: { error: unknown }) {
  if (!(error instanceof Problem)) return <>{error instanceof Error ? error.message : String(error)}</>;
  return <>{sentence(error.detail)}{error.fix ? <>. <Words>{sentence(error.fix)}</Words></> : null}{error.question ? <NextSteps problem={error} /> : null}</>;
}
