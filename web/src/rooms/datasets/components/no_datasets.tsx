import { IconDatabase } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { CommandLine } from "@/kit/basics";
import { useAccounts } from "@/kit/next_steps";
import { EmptyState } from "@/kit/page";

/** The empty workspace: how to get a first dataset; on a server of a team, how to see one. */
export function NoDatasets() {
  const withAccounts = useAccounts();
  return (
    <EmptyState title="No datasets yet" icon={<IconDatabase size={26} stroke={1.5} />}>
      {withAccounts ? (
        <>
          <p>Datasets that you may not see are not listed. If you work on one, ask for access to it.</p>
          <p className="state-next"><Link to="/access/requests" search={{ action: "dataset.read", on: "dataset:" }} className="link">Ask for access</Link></p>
        </>
      ) : null}
      <p>{withAccounts ? "Whoever may create datasets does so in a terminal" : "Create a dataset and add images. Run these commands in a terminal"}, in the folder of this workspace:</p>
      <CommandLine>calotype dataset create crossings</CommandLine>
      <CommandLine>calotype add crossings ~/images --source cam-07 --licence CC-BY-4.0</CommandLine>
      {withAccounts ? null : <><p>Or explore the demo:</p><CommandLine>calotype demo</CommandLine></>}
    </EmptyState>
  );
}
