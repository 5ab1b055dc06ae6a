import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTitle } from "@/kit/page";
import * as api from "../api";
import { Field, Form } from "../components/form";
import "../page.css";

/** The server asks who somebody is. */
export function AccountSignIn() {
  useTitle("Sign in");
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const isElsewhere = window.location.pathname !== "/";
  const signing = useMutation({ mutationFn: () => api.signIn(email, password), onSuccess: () => client.invalidateQueries() });
  return (
    <main className="sign-in people-gate">
      <img src="/icon.svg" width={36} height={36} alt="" />
      <Form
        title="Sign in" submit="Sign in" isReady={email.trim() !== "" && password !== ""} isBusy={signing.isPending} error={signing.error}
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
