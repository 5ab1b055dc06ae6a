import { useQueryClient } from "@tanstack/react-query";
import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { Problem } from "@/api/client";
import { signIn } from "@/app/session";
import { Button, CommandLine } from "@/kit/basics";
import { EmptyState, ErrorState, sentence, useTitle } from "@/kit/page";

/** No page at this address. */
export function NotFound() {
  useTitle("Not found");
  return (
    <EmptyState title="There is no page at this address">
      <p>
        The link may be mistyped, or of another workspace. Start from <Link to="/" className="link">the datasets</Link>.
      </p>
    </EmptyState>
  );
}

/** A page that broke: ours to mend. */
export function PageFailed({ error }: ErrorComponentProps) {
  const router = useRouter();
  return <ErrorState error={error} onRetry={() => void router.invalidate()} />;
}

/** The server wants its token first. */
export function SignIn() {
  useTitle("Sign in");
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [said, setSaid] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await signIn(token.trim());
      await client.invalidateQueries();
    } catch (error) {
      setSaid(error instanceof Problem && error.status === 401 ? "that is not the token of this server" : String(error));
    }
  };
  return (
    <main className="sign-in">
      <img src="/icon.svg" width={36} height={36} alt="" />
      <h1>Open the link that <code>calotype serve</code> printed</h1>
      <p className="dim">
        It carries a token, so that only you can read this workspace. The link ends with <code>?token=…</code>; the token
        alone works here too.
      </p>
      <form onSubmit={(event) => void submit(event)}>
        <label className="hidden-label" htmlFor="token">Token</label>
        <input
          id="token" className="field mono" type="password" autoComplete="off" placeholder="Token" autoFocus
          value={token} onChange={(event) => setToken(event.target.value)} aria-invalid={said !== ""} aria-describedby="token-said"
        />
        <Button look="first" type="submit" disabled={!token.trim()}>Open</Button>
      </form>
      <p id="token-said" role="alert" className="said">{said ? sentence(said) : null}</p>
      <p className="dim">Lost it? Start the server again:</p>
      <CommandLine>calotype serve</CommandLine>
    </main>
  );
}
