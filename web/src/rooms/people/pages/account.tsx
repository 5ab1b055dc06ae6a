import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { TOKEN_SCOPES } from "@/api/schema.gen";
import type { ApiToken, BrowserSession } from "@/api/schema.gen";
import { Button, Loading, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import { datasets } from "@/rooms/datasets/api";
import * as api from "../api";
import { Field, Form } from "../components/form";
import { Once } from "../components/once";
import { ACCOUNT_KEYS, SESSION_KEYS, TOKEN_KEYS } from "../keys";
import "../page.css";

/** One's own account: password, sessions, API tokens. */
export function AccountPage() {
  const client = useQueryClient();
  const server = useQuery(api.health());
  const enabled = server.data?.accounts === true;
  const sessions = useQuery({ ...api.sessions(), enabled });
  const tokens = useQuery({ ...api.tokens(), enabled });
  const [asks, setAsks] = useState(false);
  const leaving = useMutation({ mutationFn: api.signOut, onSuccess: () => client.invalidateQueries() });
  useCommands(ACCOUNT_KEYS, { "account.token": () => setAsks(true), "account.sign-out": () => leaving.mutate() });
  const failed = server.error ?? sessions.error ?? tokens.error;
  if (server.data?.accounts === false) {
    return (
      <Page title="Account">
        <EmptyState title="This server has no accounts"><p>Start it with <code>calotype serve --accounts</code> to let people sign in.</p></EmptyState>
      </Page>
    );
  }
  return (
    <Page title="Account" actions={<><Button command="account.sign-out">Sign out</Button><Button look="first" command="account.token">Create an API token</Button></>}>
      {sessions.isPending ? <Loading what="your account" /> : null}
      {failed ? <ErrorState error={failed} onRetry={() => void sessions.refetch()} /> : null}
      {sessions.data && tokens.data ? (
        <div className="people-stack">
          <Tokens items={tokens.data.items} />
          <Sessions items={sessions.data.items} />
          <Password />
        </div>
      ) : null}
      <Dialog open={asks} onClose={() => setAsks(false)} label="Create an API token"><NewToken onClose={() => setAsks(false)} /></Dialog>
    </Page>
  );
}

function Tokens({ items }: { items: readonly ApiToken[] }) {
  const client = useQueryClient();
  const revoking = useMutation({
    mutationFn: api.revokeToken,
    onSuccess: (token) => (say(`Revoked ${token.name}`), client.invalidateQueries({ queryKey: api.PEOPLE })),
  });
  useCommands(TOKEN_KEYS, { "account.revoke-token": () => items[0] && revoking.mutate(items[0].id) });
  return (
    <Panel title="API tokens" className="table">
      {items.length ? (
        <table className="rows people">
          <thead><tr><th>Name</th><th>Begins with</th><th>May</th><th>Datasets</th><th>Last used</th><th>Until</th><th /></tr></thead>
          <tbody>
            {items.map((token) => (
              <tr key={token.id}>
                <td>{token.name}</td>
                <td className="mono">{token.prefix}</td>
                <td>{token.scopes.join(", ")}</td>
                <td>{token.datasets.join(", ") || "all that you see"}</td>
                <td>{token.last_used ? <When at={token.last_used} /> : "never"}</td>
                <td>{token.until.slice(0, 10)}</td>
                <td className="num"><Button look="quiet" command="account.revoke-token" title={`Revoke ${token.name}`} onClick={() => revoking.mutate(token.id)}>Revoke</Button></td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : <p className="people-note dim">Programs use tokens: they may do what you may, within scopes that you choose, until a day that you choose.</p>}
      {revoking.error ? <ErrorState error={revoking.error} /> : null}
    </Panel>
  );
}

function Sessions({ items }: { items: readonly BrowserSession[] }) {
  const client = useQueryClient();
  const ending = useMutation({
    mutationFn: api.endSession,
    onSuccess: () => (say("The session has ended"), client.invalidateQueries({ queryKey: api.PEOPLE })),
  });
  const other = items.find((session) => !session.this);
  useCommands(SESSION_KEYS, { "account.end-others": () => other && ending.mutate(other.id) });
  return (
    <Panel title="Sessions" className="table">
      <table className="rows people">
        <thead><tr><th>Browser</th><th>Address</th><th>Since</th><th>Last used</th><th /></tr></thead>
        <tbody>
          {items.map((session) => (
            <tr key={session.id}>
              <td className="cut" title={session.browser}>{browserOf(session.browser)}</td>
              <td className="mono">{session.address}</td>
              <td><When at={session.since} /></td>
              <td>{session.this ? "this session" : <When at={session.last_used} />}</td>
              <td className="num">{session.this ? null : <Button look="quiet" command="account.end-others" title="End this session" onClick={() => ending.mutate(session.id)}>End</Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {ending.error ? <ErrorState error={ending.error} /> : null}
    </Panel>
  );
}

/** The browser and the system in a user agent, as people name them. */
export function browserOf(agent: string): string {
  const name = ["Edg", "Firefox", "Chrome", "Safari"].find((one) => agent.includes(`${one}/`));
  const system = ["Windows", "Android", "iPhone", "Mac OS X", "Linux"].find((one) => agent.includes(one));
  return name ? `${name.replace("Edg", "Edge")}${system ? ` on ${system.replace("Mac OS X", "macOS")}` : ""}` : agent || "unknown";
}

function Password() {
  const client = useQueryClient();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const changing = useMutation({
    mutationFn: () => api.changePassword(old, fresh),
    onSuccess: async () => {
      say("Password changed; other sessions have ended");
      setOld("");
      setFresh("");
      await client.invalidateQueries({ queryKey: api.PEOPLE });
    },
  });
  return (
    <Panel className="people-password">
      <Form title="Password" submit="Change the password" isReady={old !== "" && fresh.length >= 12} isBusy={changing.isPending} error={changing.error} onSubmit={() => changing.mutate()}>
        <Field label="Present password">{(id) => <input id={id} className="field" type="password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} />}</Field>
        <Field label="New password" hint="At least 12 characters">{(id) => <input id={id} className="field" type="password" autoComplete="new-password" value={fresh} onChange={(event) => setFresh(event.target.value)} />}</Field>
      </Form>
    </Panel>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const list = useQuery(datasets());
  const [name, setName] = useState("");
  const [scope, setScope] = useState<(typeof TOKEN_SCOPES)[number]>("read");
  const [dataset, setDataset] = useState("");
  const [days, setDays] = useState(90);
  const creating = useMutation({
    mutationFn: () => api.createToken({ name, scopes: [scope], datasets: dataset ? [dataset] : [], days }),
    onSuccess: () => client.invalidateQueries({ queryKey: api.PEOPLE }),
  });
  if (creating.data) return <Once title={`Token ${name}`} text={creating.data.token} onClose={onClose}>Copy it now: it is shown only once. Programs send it as <code>Authorization: Bearer TOKEN</code>.</Once>;
  return (
    <Form title="Create an API token" submit="Create" isReady={name.trim() !== "" && days >= 1 && days <= 365} isBusy={creating.isPending} error={creating.error} onSubmit={() => creating.mutate()}>
      <Field label="Name" hint="What it is for">{(id) => <input id={id} className="field" value={name} autoFocus autoComplete="off" onChange={(event) => setName(event.target.value)} />}</Field>
      <Field label="May">{(id) => <select id={id} className="field" value={scope} onChange={(event) => setScope(event.target.value as typeof scope)}>{TOKEN_SCOPES.map((one) => <option key={one}>{one}</option>)}</select>}</Field>
      <Field label="Dataset">
        {(id) => (
          <select id={id} className="field" value={dataset} onChange={(event) => setDataset(event.target.value)}>
            <option value="">all that you see</option>
            {list.data?.items.map((row) => <option key={row.name}>{row.name}</option>)}
          </select>
        )}
      </Field>
      <Field label="Days" hint="1 to 365">{(id) => <input id={id} className="field" type="number" min={1} max={365} value={days} onChange={(event) => setDays(Number(event.target.value))} />}</Field>
    </Form>
  );
}
