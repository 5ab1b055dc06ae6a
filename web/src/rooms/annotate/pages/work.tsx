import { IconPencil, IconSearch } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { Button, KeyHint, Loading, Pill } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, plural } from "@/kit/format";
import { Page } from "@/kit/frame";
import { EmptyState, ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { Figures } from "../components/figures";
import type { MyAssignment, OpenBatch } from "../components/session/types";
import { sendWaiting } from "../components/session/use_session";
import { MY_WORK_KEYS } from "../keys";
import "./work.css";

/** The annotator's own page: what was sent back, what is open, the next image, and one's own figures. */
export function MyWorkPage() {
  const query = useQuery(api.myWork());
  const client = useQueryClient();
  const navigate = useNavigate();
  const next = useMutation({
    mutationFn: (wanted: api.Wanted) => api.nextWork(wanted),
    onSuccess: async (work, { kind }) => {
      if (!work) return say(kind === "review" ? "Nothing waits for your review" : "No image waits for you");
      client.setQueryData(["work", work.assignment], work);
      await navigate({ to: "/annotate/$assignment", params: { assignment: work.assignment } });
    },
  });
  useEffect(() => {
    void sendWaiting().then((n) => n && say(`${plural(n, "operation")} from before ${n === 1 ? "is" : "are"} being saved`));
  }, []);
  useCommands(MY_WORK_KEYS, { "work.next": () => next.mutate({ kind: "annotate" }), "work.next-review": () => next.mutate({ kind: "review" }) });
  const data = query.data;
  const hasWork = data && (data.open.length > 0 || data.batches.length > 0);
  return (
    <Page
      title="My work" withRef={false}
      actions={
        <>
          <Button command="work.next-review" busy={next.isPending}><IconSearch size={14} /> Review <KeyHint keys="r" /></Button>
          <Button look="first" command="work.next" busy={next.isPending}><IconPencil size={14} /> Next image <KeyHint keys="Enter" /></Button>
        </>
      }
    >
      {next.error ? <ErrorState error={next.error} /> : null}
      {query.isPending ? <Loading what="your work" /> : null}
      {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : null}
      {data && !hasWork ? (
        <EmptyState title="No work waits for you" icon={<IconPencil size={26} />}>
          <p>Images to label come in batches. A manager opens one over the samples of a dataset and names who works on it:</p>
          <p className="command-line"><code>calotype batch open DATASET first --where 'split = "train"' --to you</code></p>
        </EmptyState>
      ) : null}
      {data && hasWork ? (
        <div className="my-work">
          <div className="my-work-lists">
            <Panel title="Mine" meta={count(data.open.length)}>{data.open.length ? <ul className="work-rows">{data.open.map((one) => <Mine key={one.assignment} one={one} />)}</ul> : <p className="dim">Nothing is open or sent back. Enter takes the next image.</p>}</Panel>
            <Panel title="Batches" meta={count(data.batches.length)}>
              <ul className="work-rows">{data.batches.map((one) => <Batch key={`${one.dataset} ${one.name}`} one={one} onTake={() => next.mutate({ dataset: one.dataset, batch: one.name })} />)}</ul>
            </Panel>
          </div>
          <Figures figures={data.figures} />
        </div>
      ) : null}
    </Page>
  );
}

function Mine({ one }: { one: MyAssignment }) {
  const isBack = one.state === "sent-back";
  return (
    <li>
      <Link to="/annotate/$assignment" params={{ assignment: one.assignment }} className="work-row">
        <img src={api.workThumbnail(one.assignment)} alt="" loading="lazy" width={56} height={40} />
        <span className="cut">{one.name}</span>
        <span className="dim cut">{one.dataset} / {one.batch}</span>
        {one.kind === "review" ? <Pill>review</Pill> : null}
        <Pill tone={isBack ? "warn" : "plain"}>{isBack ? "sent back" : one.state === "expired" ? "the lease has ended" : one.state}</Pill>
      </Link>
    </li>
  );
}

function Batch({ one, onTake }: { one: OpenBatch; onTake: () => void }) {
  return (
    <li className="work-row">
      <span className="cut"><strong>{one.name}</strong> <span className="dim">{one.dataset}</span></span>
      <span className="dim num">{one.state === "paused" ? "paused" : `${plural(one.annotate, "image")} to label${one.review ? `, ${count(one.review)} to review` : ""}`}</span>
      {one.due ? <span className="dim">due {one.due.slice(0, 10)}</span> : <span />}
      <Button className="small" command="work.next" disabled={one.annotate === 0 || one.state === "paused"} onClick={onTake}>Take the next</Button>
    </li>
  );
}
