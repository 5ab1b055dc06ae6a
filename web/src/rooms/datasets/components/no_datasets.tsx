import { IconDatabase } from "@tabler/icons-react";
import { CommandLine } from "@/kit/basics";
import { EmptyState } from "@/kit/page";

/** The empty workspace: how to get a first dataset. */
export function NoDatasets() {
  return (
    <EmptyState title="No datasets yet" icon={<IconDatabase size={26} stroke={1.5} />}>
      <p>Create a dataset and add images. Run these commands in a terminal, in the folder of this workspace:</p>
      <CommandLine>calotype dataset create crossings</CommandLine>
      <CommandLine>calotype add crossings ~/images --source cam-07 --licence CC-BY-4.0</CommandLine>
      <p>Or explore the demo:</p>
      <CommandLine>calotype demo</CommandLine>
    </EmptyState>
  );
}
