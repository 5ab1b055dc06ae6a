import { IconBookmarkOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { Problem } from "@/api/client";
import { Button, Loading } from "@/kit/basics";
import { Page } from "@/kit/frame";
import { useDataset } from "@/kit/here";
import { EmptyState, ErrorState } from "@/kit/page";
import { searchOf, view } from "../components/views";
import { SamplesPage } from "./samples";

/** The grid, or the saved view that the address names: it becomes the address of what it shows. */
export function SamplesOrView() {
  const { view: name } = useSearch({ from: "/d/$dataset/samples" });
  return name === undefined ? <SamplesPage /> : <Opened name={name} />;
}

function Opened({ name }: { name: string }) {
  const { dataset } = useDataset();
  const navigate = useNavigate({ from: "/d/$dataset/samples" });
  const saved = useQuery(view(dataset, name));
  useEffect(() => {
    if (saved.data && !saved.isFetching) void navigate({ search: searchOf(saved.data), replace: true });
  }, [saved.data, saved.isFetching, navigate]);
  const isGone = saved.error instanceof Problem && saved.error.code === "view-not-found";
  return (
    <Page title="Samples" flush>
      {saved.isPending ? <Loading what="the saved view" /> : null}
      {isGone ? (
        <EmptyState title={`No saved view ${name}`} icon={<IconBookmarkOff size={26} stroke={1.5} />}>
          <p>It was renamed or deleted, or the link is not complete.</p>
          <Button onClick={() => void navigate({ search: {} })}>Show all samples</Button>
        </EmptyState>
      ) : null}
      {saved.error && !isGone ? <ErrorState error={saved.error} onRetry={() => void saved.refetch()} /> : null}
    </Page>
  );
}
