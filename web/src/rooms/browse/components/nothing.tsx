import { IconPhotoOff } from "@tabler/icons-react";
import { Button, CommandLine } from "@/kit/basics";
import { EmptyState } from "@/kit/page";

/** A grid without samples: why, and what to do. */
export function Nothing({ where, dataset, onClear }: { where: string; dataset: string; onClear: () => void }) {
  if (where) {
    return (
      <EmptyState title="No matching samples" icon={<IconPhotoOff size={26} stroke={1.5} />}>
        <p>The query is valid, but no sample in this state of the dataset matches it.</p>
        <Button onClick={onClear}>Clear the query</Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No samples yet" icon={<IconPhotoOff size={26} stroke={1.5} />}>
      <p>Add images. Unreadable files go to quarantine, each with the reason:</p>
      <CommandLine>{`calotype add ${dataset} ~/images --source cam-07 --licence CC-BY-4.0`}</CommandLine>
    </EmptyState>
  );
}

/** A grid without objects. */
export function NoObjects({ of, where, onClear }: { of: string | undefined; where: string; onClear: () => void }) {
  return (
    <EmptyState title="No objects" icon={<IconPhotoOff size={26} stroke={1.5} />}>
      <p>
        {of ? `No annotation of the class ${of} in this label set` : "No annotation in this label set"}
        {where ? " is in a sample that matches the query." : " has a place in its image. Classes and captions of whole images are on the samples."}
      </p>
      {of || where ? <Button onClick={onClear}>Show all objects</Button> : null}
    </EmptyState>
  );
}
