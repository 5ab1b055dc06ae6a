import { IconArrowBackUp, IconArrowForwardUp, IconGitCommit, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { datasetChanged } from "@/api/cache";
import { Problem } from "@/api/client";
import { Button, IconButton } from "@/kit/basics";
import { onBranch, workingState } from "@/kit/branch";
import { keysOf, useCommands } from "@/kit/commands";
import { plural, short } from "@/kit/format";
import { say } from "@/kit/said";
import { Words } from "@/kit/words";
import * as versions from "@/rooms/versions/api";
import * as api from "../api";
import { OFFER_KEYS, RETRY_KEYS, STAGED_KEYS } from "../keys";
import { unlisted, type Offer } from "./queue";
import type { Editing } from "./use_editing";

/** The edits since the last commit: undone one by one, looked at, committed. Nothing is shown where there is none. */
export function StagedBar({ dataset, editing }: { dataset: string; editing: Editing }) {
  const client = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const [message, setMessage] = useState("");
  const journal = useQuery(api.edits(dataset, editing.branch));
  const { branch, state, undo, redo } = editing;
  const toUndo = journal.data?.to_undo ?? 0;
  const toRedo = journal.data?.to_redo ?? 0;
  const onTheirWay = state.entries.some((entry) => entry.state !== "done");
  // Never fewer between the answer to an edit and the next list: a bar that goes and comes moves the image under the pointer.
  const staged = toUndo + unlisted(state.entries, new Set(journal.data?.items.map((item) => item.id)));
  const last = journal.data?.items.find((item) => !item.undone);
  const head = useQuery({ ...versions.log(dataset, workingState(branch), 1), enabled: staged > 0 });
  const from = head.data?.items[0]?.id;
  const committing = useMutation({
    mutationFn: async () => {
      await editing.settled();
      return versions.commit(dataset, message.trim(), branch);
    },
    onSuccess: async (created) => {
      say(`Committed as ${short(created.id)}${onBranch(branch)}`);
      setMessage("");
      await datasetChanged(client, dataset);
    },
  });
  useCommands(STAGED_KEYS, { "edit.undo": undo, "edit.redo": redo, "edit.commit": () => field.current?.focus() });
  const refusal = state.failure?.problem ?? (committing.error instanceof Problem ? committing.error : null);
  return (
    <>
      {refusal ? (
        <div role="alert" className="staged-problem">
          <p>
            {state.failure?.change.title ? <strong>Not changed: {state.failure.change.title}. </strong> : null}
            <Words>{refusal.detail}</Words>
            {refusal.fix ? <>. <Words>{refusal.fix}</Words></> : null}
          </p>
          {refusal.status === 0 && state.failure ? <Retry run={editing.retry} /> : null}
          {refusal.status === 0 && state.failure ? <Button className="small" command="edit.retry">Try again</Button> : null}
          <IconButton className="small" label="Dismiss" onClick={() => (state.failure ? editing.dismiss() : committing.reset())}><IconX size={13} /></IconButton>
        </div>
      ) : null}
      {state.offer ? <CopiesOffer editing={editing} /> : null}
      {staged > 0 || toRedo > 0 ? (
        <section className="staged" aria-label="Staged edits">
          <i className={staged ? "dirty" : ""} />
          <span className="staged-count">{staged ? plural(staged, "staged edit") : "No staged edits"}{onBranch(branch)}</span>
          <span className="dim cut staged-last">{onTheirWay ? "saving…" : last ? `last: ${last.what}` : ""}</span>
          <span className="staged-steps">
            <IconButton className="small" label="Undo the last edit" disabled={staged === 0} command="edit.undo"><IconArrowBackUp size={15} /></IconButton>
            <IconButton className="small" label="Redo" disabled={toRedo === 0} command="edit.redo"><IconArrowForwardUp size={15} /></IconButton>
          </span>
          {staged && from ? <Link to="/d/$dataset/diff" params={{ dataset }} search={{ a: from.slice(0, 12), b: workingState(branch) || undefined }} className="link staged-diff">View diff</Link> : null}
          {staged ? (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (message.trim()) committing.mutate();
              }}
            >
              <input
                ref={field} className="field" placeholder="What changed and why" aria-label="Commit message" value={message} onChange={(event) => setMessage(event.target.value)}
                {...keysOf({ Escape: () => field.current?.blur() })}
              />
              <Button look="first" className="small" type="submit" busy={committing.isPending} disabled={!message.trim()}><IconGitCommit size={14} /> Commit</Button>
            </form>
          ) : null}
        </section>
      ) : null}
    </>
  );
}

function Retry({ run }: { run: () => void }) {
  useCommands(RETRY_KEYS, { "edit.retry": run });
  return null;
}

/** Copies of this sample show the same object, and their labels did not follow. */
function CopiesOffer({ editing }: { editing: Editing }) {
  const offer = editing.state.offer;
  if (!offer) return null;
  return <Offered editing={editing} offer={offer} />;
}

function Offered({ editing, offer }: { editing: Editing; offer: Offer }) {
  useCommands(OFFER_KEYS, { "edit.carry-over": () => editing.carryOver(offer) });
  const what = offer.entry.change.edit.do;
  const copies = plural(offer.copies, "copy", "copies");
  const follows = what === "set-class" || what === "set-attributes" || what === "delete";
  return (
    <div role="status" className="staged-offer">
      <p>{follows ? `${copies} of this sample ${offer.copies === 1 ? "has" : "have"} this label too.` : `${copies} of this sample ${offer.copies === 1 ? "keeps its" : "keep their"} shapes until the recipe runs again.`}</p>
      {follows ? <Button className="small" command="edit.carry-over">Apply to {offer.copies === 1 ? "the copy" : copies} too</Button> : null}
      <IconButton className="small" label="Leave the copies as they are" onClick={editing.dismiss}><IconX size={13} /></IconButton>
    </div>
  );
}
