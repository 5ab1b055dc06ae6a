import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Loading } from "@/kit/basics";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState } from "@/kit/page";
import * as api from "../api";

/** Whether somebody who is signed in here may do something in the whole workspace; false until it is known. */
export function useMay(action: api.Action): boolean {
  const server = useQuery(api.health());
  const asked = useQuery({ ...api.why(action, "workspace"), enabled: server.data?.accounts === true });
  return asked.data?.allowed ?? false;
}

/** A page about access, with links to the others; a server without accounts has none of it. */
export function AccessFrame({ title, meta, actions, children }: { title: string; meta?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const server = useQuery(api.health());
  const seesPeople = useMay("people.read");
  if (server.data?.accounts === false) {
    return (
      <Page title={title}>
        <EmptyState title="This server has no accounts"><p>Start it with <code>calotype serve --accounts</code> to let people sign in, each with roles of their own.</p></EmptyState>
      </Page>
    );
  }
  return (
    <Page title={title} meta={meta} actions={actions}>
      <nav className="access-tabs" aria-label="Access">
        <Link to="/access" activeOptions={{ exact: true, includeSearch: false }}>Who and why</Link>
        <Link to="/access/requests" activeOptions={{ includeSearch: false }}>Access requests</Link>
        {seesPeople ? <Link to="/access/review" activeOptions={{ includeSearch: false }}>Access review</Link> : null}
      </nav>
      {server.isPending ? <Loading what="the page" /> : null}
      {server.error ? <ErrorState error={server.error} /> : null}
      {server.data ? children : null}
    </Page>
  );
}
