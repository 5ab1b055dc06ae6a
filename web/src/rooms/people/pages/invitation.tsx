import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Loading } from "@/kit/basics";
import { ErrorState, useTitle } from "@/kit/page";
import * as api from "../api";
import { Field, Form } from "../components/form";
import "../page.css";

const MIN_PASSWORD = 12;

/** An invitation was opened: choose a password, and for the first owner a name and an address. The secret never leaves the hash. */
export function Invitation() {
  useTitle("Invitation");
  const secret = window.location.hash.slice(1);
  const shown = useQuery({ queryKey: ["invitation", secret], queryFn: () => api.showInvitation(secret), retry: false });
  return (
    <main className="sign-in people-gate">
      <img src="/icon.svg" width={36} height={36} alt="" />
      {shown.isPending ? <Loading what="the invitation" /> : null}
      {shown.error ? <ErrorState error={shown.error} /> : null}
      {shown.data ? <Accept secret={secret} {...shown.data} /> : null}
    </main>
  );
}

function Accept({ secret, email: invited, name: known, is_first_owner: isFirst }: { secret: string; email: string; name: string; is_first_owner: boolean }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(known);
  const [email, setEmail] = useState(invited);
  const [password, setPassword] = useState("");
  const accepting = useMutation({
    mutationFn: () => api.acceptInvitation({ secret, password, name, email }),
    onSuccess: async () => {
      await navigate({ to: "/", hash: "", replace: true });
      await client.invalidateQueries();
    },
  });
  const isReady = name.trim() !== "" && email.trim() !== "" && password.length >= MIN_PASSWORD;
  return (
    <>
      <Form
        title={isFirst ? "Become the first owner" : `Welcome, ${known}`} submit={isFirst ? "Become the owner" : "Choose the password and sign in"}
        isReady={isReady} isBusy={accepting.isPending} error={accepting.error} onSubmit={() => accepting.mutate()}
      >
        <Field label="Email">
          {(id) => (
            <input
              id={id} className="field" type="email" autoComplete="username" readOnly={!isFirst} autoFocus={isFirst} value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field label="Name">
          {(id) => <input id={id} className="field" autoComplete="name" value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="Password" hint={`At least ${MIN_PASSWORD} characters`}>
          {(id) => (
            <input
              id={id} className="field" type="password" autoComplete="new-password" autoFocus={!isFirst} value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
      </Form>
      <p className="dim">{isFirst ? "Owners invite everyone else. This link works once." : "This link works once."}</p>
    </>
  );
}
