import { Link } from "@tanstack/react-router";
import { createContext, useContext } from "react";
import type { Problem } from "@/api/client";
import { useHere } from "@/kit/here";

/** Whether people sign in here with accounts of their own, so that access can be asked for. */
const Accounts = createContext(false);
export const WithAccounts = Accounts.Provider;

/** Whether access can be asked for here. */
export const useAccounts = (): boolean => useContext(Accounts);

/** What to do after a refusal: ask why, ask for access, sign in again, or go to the list. */
export function NextSteps({ problem }: { problem: Problem }) {
  const accounts = useAccounts();
  const { dataset } = useHere();
  if (problem.status === 401) return <p className="state-next"><a className="link" href={window.location.href}>Sign in again</a> to come back to this page.</p>;
  if (problem.question) {
    const { action, resource } = problem.question;
    return (
      <p className="state-next">
        <Link to="/access" search={{ ask: "why", action, on: resource }} className="link">Why can’t I?</Link>
        <Link to="/access/requests" search={{ action, on: resource }} className="link">Ask for access</Link>
      </p>
    );
  }
  if (problem.status !== 404) return null;
  const isDataset = problem.code === "dataset-not-found" && dataset !== undefined;
  return (
    <>
      {isDataset && accounts ? <p className="dim">A dataset that you may not see is answered like one that does not exist.</p> : null}
      <p className="state-next">
        {isDataset || !dataset ? <Link to="/" className="link">All datasets</Link> : <Link to="/d/$dataset" params={{ dataset }} className="link">Overview of {dataset}</Link>}
        {isDataset && accounts ? <Link to="/access/requests" search={{ action: "dataset.read", on: `dataset:${dataset}` }} className="link">Ask for access</Link> : null}
      </p>
    </>
  );
}
