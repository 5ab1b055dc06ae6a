import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTitle } from "@/kit/page";
import * as api from "../api";
import { Field, Form } from "../components/form";
import "../page.css";

/** Why the provider's answer did not sign anybody in, by the word that the server put into the address. */
const REFUSALS: Record<string, string> = {
  account: "Your account here is disabled, or this address belongs to another identity. Ask an owner of this workspace.",
  attempts: "Signing in failed too often from this network. Wait 15 minutes, then try again.",
  closed: "None of your groups has a role here. Ask an owner of this workspace for an invitation.",
  declined: "The sign-in was cancelled at the provider.",
  email: "The provider has not verified your email address, so it cannot be matched with an account here.",
  provider: "The provider did not answer as it should. Try again; if it stays, ask whoever runs this server.",
  state: "This sign-in began in another browser, took longer than 10 minutes, or was finished already. Start again.",
};
const OTHER = "The provider's answer was not accepted. Start again; if it stays, ask whoever runs this server.";

/** The server asks who somebody is. */
export function AccountSignIn() {
  useTitle("Sign in");
  const client = useQueryClient();
  const asked = useQuery(api.health());
  const provider = asked.data?.provider ?? "";
  const refused = new URLSearchParams(window.location.search).get("refused");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const isElsewhere = window.location.pathname !== "/";
  const signing = useMutation({ mutationFn: () => api.signIn(email, password), onSuccess: () => client.invalidateQueries() });
  return (
    <main className="sign-in people-gate">
      <img src="/icon.svg" width={36} height={36} alt="" />
      {provider ? <a className="button first" href="/api/v1/oidc/start">Sign in with {provider}</a> : null}
      {refused === null ? null : <p role="alert" className="said">{REFUSALS[refused] ?? OTHER}</p>}
      <Form
        title={provider ? "Or with a password" : "Sign in"} submit="Sign in" isReady={email.trim() !== "" && password !== ""} isBusy={signing.isPending} error={signing.error}
        onSubmit={() => signing.mutate()}
      >
        <Field label="Email">
          {(id) => <input id={id} className="field" type="email" autoComplete="username" autoFocus value={email} onChange={(event) => setEmail(event.target.value)} />}
        </Field>
        <Field label="Password">
          {(id) => <input id={id} className="field" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />}
        </Field>
      </Form>
      {isElsewhere ? <p className="dim">Then you come back to <code>{window.location.pathname}</code>.</p> : null}
      <p className="dim">Forgot the password, or not invited yet? Ask an owner of this workspace for an invitation.</p>
    </main>
  );
}
