import { IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, CommandLine, Loading } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { Dialog } from "@/kit/dialog";
import { plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import * as api from "../api";
import { BatchForm } from "../components/batch_form";
import { BatchPeople } from "../components/batch_people";
import { BatchRows } from "../components/batch_rows";
import { Questions } from "../components/questions";
import { WaitingReviews } from "../components/waiting_reviews";
import { BATCHES_KEYS } from "../keys";
import "./batches.css";

/** The labelling of a dataset: its batches, what waits for a review, what annotators ask. A reviewer sees the reviews. */
export function BatchesPage() {
  const { dataset } = useDataset();
  const query = useQuery(api.batches(dataset));
  const items = query.data?.items ?? [];
  const reviews = useQuery({ ...api.reviews(dataset), enabled: query.isError });
  const isReviewer = query.isError && reviews.isSuccess;
  const [opens, setOpens] = useState(false);
  useCommands(BATCHES_KEYS, { "batch.open": () => query.data && setOpens(true) });
  return (
    <Page
      title="Labelling" withRef={false} meta={query.data ? plural(items.length, "batch", "batches") : null}
      actions={query.isError ? null : <Button look="first" command="batch.open" disabled={!query.data}><IconPlus size={14} /> Open a batch</Button>}
    >
      <Dialog open={opens} onClose={() => setOpens(false)} label="Open a batch">
        <BatchForm dataset={dataset} onDone={() => setOpens(false)} />
      </Dialog>
      {query.isPending || (query.isError && reviews.isPending) ? <Loading what="the batches" /> : null}
      {query.error && reviews.isError ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {isReviewer ? <div className="batch-stack"><WaitingReviews dataset={dataset} /></div> : null}
      {query.data && items.length === 0 ? (
        <EmptyState title="No batches yet" icon={<IconUsersGroup size={26} stroke={1.5} />}>
          <p>A batch fixes the images to label, the people, how many label each image, and how many are reviewed. Accepted work becomes a commit on a branch of its own.</p>
          <CommandLine>{`calotype batch open ${dataset} first --to bo@example.org --review 0.2`}</CommandLine>
        </EmptyState>
      ) : null}
      {items.length ? (
        <div className="batch-stack">
          <BatchRows dataset={dataset} items={items} />
          <WaitingReviews dataset={dataset} />
          <BatchPeople dataset={dataset} batches={items.map((one) => one.name)} />
          <Questions dataset={dataset} />
        </div>
      ) : null}
    </Page>
  );
}
