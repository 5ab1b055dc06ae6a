import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Loading } from "@/kit/basics";
import { Page } from "@/kit/frame";
import { ErrorState } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { WorkEditor } from "../components/editor/editor";

/** One assignment in the editor; the next one follows without leaving the page. */
export function AnnotatePage() {
  const { assignment } = useParams({ from: "/annotate/$assignment" });
  const client = useQueryClient();
  const navigate = useNavigate();
  const query = useQuery(api.workQuery(assignment));
  const next = async () => {
    const done = query.data;
    const wanted = done ? { dataset: done.batch.dataset, batch: done.batch.name, kind: done.kind } : {};
    const work = await api.nextWork(wanted);
    client.removeQueries({ queryKey: ["work", assignment] });
    void client.invalidateQueries({ queryKey: ["my-work"] });
    if (!work) {
      say(done ? `Nothing more waits for you in ${done.batch.name}` : "Nothing more waits for you");
      return navigate({ to: "/annotate" });
    }
    client.setQueryData(["work", work.assignment], work);
    await navigate({ to: "/annotate/$assignment", params: { assignment: work.assignment }, replace: true });
  };
  if (query.data) return <WorkEditor work={query.data} onNext={next} />;
  return (
    <Page title="Annotate" withRef={false}>
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : <Loading what="the image" />}
    </Page>
  );
}
