import { useQueryClient } from "@tanstack/react-query";
import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { Problem } from "@/api/client";
import { signIn } from "@/app/session";
import { Button, CommandLine } from "@/kit/basics";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, sentence, useTitle } from "@/kit/page";

/** An address without a page. */
export function NotFound() {
  return (
    <Page title="Not found">
      <EmptyState title="Page not found">
        <p>The link may be mistyped or belong to another workspace.</p>
        <p className="state-next"><Link to="/" className="link">All datasets</Link></p>
      </EmptyState>
    </Page>
  );
}

/** A page that failed to render. */
export function PageFailed({ error }: ErrorComponentProps) {
  const router = useRouter();
  return <Page title="Page failed"><ErrorState error={error} onRetry={() => void router.invalidate()} /></Page>;
}

/** The server asks for its token. */
export function SignIn() {
  useTitle("Sign in");
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await signIn(token.trim());
      await client.invalidateQueries();
    } catch (error) {
      setRefusal(error instanceof Problem && error.status === 401 ? "this token is not valid for this server" : error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <main className="sign-in">
      <img src="/icon.svg" width={36} height={36} alt="" />
      <h1>Open the link that <code>calotype serve</code> printed</h1>
      <p className="dim">
        The link ends with <code>?token=…</code>, which gives access to this workspace. You can also paste the token here.
      </p>
      <form onSubmit={(event) => void submit(event)}>
        <label className="hidden-label" htmlFor="token">Token</label>
        <input
          id="token" className="field mono" type="password" autoComplete="off" placeholder="Token" autoFocus
          value={token} onChange={(event) => setToken(event.target.value)} aria-invalid={refusal !== ""} aria-describedby="token-said"
        />
        <Button look="first" type="submit" disabled={!token.trim()}>Open</Button>
      </form>
      <p id="token-said" role="alert" className="said">{refusal ? sentence(refusal) : null}</p>
      <p className="dim">Lost the link? Restart the server:</p>
      <CommandLine>calotype serve</CommandLine>
    </main>
  );
}
