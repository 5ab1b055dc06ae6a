import { IconDatabase } from "@tabler/icons-react";
import { CommandLine } from "@/kit/basics";
import { EmptyState } from "@/kit/page";

/** The empty workspace: how to get a first dataset. */
export function NoDatasets() {
  return (
    <EmptyState title="No datasets yet" icon={<IconDatabase size={26} stroke={1.5} />}>
      <p>Make one, put images in, and it appears here. Each line works in a terminal in this workspace.</p>
      <CommandLine>calotype dataset create crossings</CommandLine>
      <CommandLine>calotype add crossings ~/pictures --source cam-07 --licence CC-BY-4.0</CommandLine>
      <p>Or look around in one that is ready made:</p>
      <CommandLine>calotype demo</CommandLine>
    </EmptyState>
  );
}
