import { IconArrowBackUp, IconArrowForwardUp, IconCheck, IconMessageQuestion, IconPlayerSkipForward, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Button, IconButton, KeyHint, Pill } from "@/kit/basics";
import { Page } from "@/kit/frame";
import { NextSteps } from "@/kit/next_steps";
import { Words } from "@/kit/words";
import type { Work, WorkState } from "../session/types";
import { GuidelineNotice } from "./guideline_notice";
import { SavedState } from "./saved_state";
import type { Editor } from "./use_editor";
import type { Turns } from "./use_turns";

const STATES: Readonly<Record<WorkState, { text: string; tone: "plain" | "good" | "warn" }>> = {
  draft: { text: "draft", tone: "plain" }, submitted: { text: "submitted", tone: "good" }, accepted: { text: "accepted", tone: "good" }, "sent-back": { text: "sent back", tone: "warn" },
  skipped: { text: "skipped", tone: "plain" }, released: { text: "given back", tone: "plain" }, expired: { text: "the lease has ended", tone: "warn" },
};

type Props = { work: Work; editor: Editor; turns: Turns; editable: boolean; children: ReactNode };

/** The bar of the editor: where one is, whether all is saved, and what ends the work on the image. */
export function EditorFrame({ work, editor, turns, editable, children }: Props) {
  const isReview = work.kind === "review";
  const state = STATES[work.state];
  const busy = turns.busy !== "";
  return (
    <Page
      title={work.sample.name} flush withRef={false}
      crumbs={<><Link to="/annotate" className="crumb">{isReview ? "Review" : "Annotate"}</Link><span className="slash" aria-hidden="true">/</span><span className="crumb cut" title={`Batch of ${work.batch.dataset}`}>{work.batch.name}</span><span className="slash" aria-hidden="true">/</span></>}
      meta={<>{work.state === "draft" ? null : <Pill tone={state.tone}>{state.text}</Pill>}{work.round > 1 ? <Pill tone="warn">round {work.round}</Pill> : null}<SavedState session={editor.session} /></>}
      actions={
        <>
          <IconButton label="Undo" command="object.undo" disabled={!editable || editor.toUndo === 0}><IconArrowBackUp size={16} /></IconButton>
          <IconButton label="Redo" command="object.redo" disabled={!editable || editor.toRedo === 0}><IconArrowForwardUp size={16} /></IconButton>
          <IconButton label="Ask" command="work.ask"><IconMessageQuestion size={16} /></IconButton>
          {editable ? <IconButton label="Skip" command="work.skip"><IconPlayerSkipForward size={16} /></IconButton> : null}
          {isReview && editable ? <Button command="review.send-back" disabled={busy}>Send back <KeyHint keys="s" /></Button> : null}
          {isReview && editable ? <Button look="first" command="review.accept" busy={busy}><IconCheck size={14} /> Accept <KeyHint keys="a" /></Button> : null}
          {isReview && editable ? null : (
            <Button look="first" command="work.submit" busy={busy}>
              {turns.busy === "waiting" ? "Waiting until all is saved" : editable ? "Submit" : "Next image"} <KeyHint keys="mod+Enter" />
            </Button>
          )}
        </>
      }
    >
      {turns.problem ? (
        <div className="notice bad work-notice" role="alert">
          <p><strong><Words>{turns.problem.detail}</Words></strong>{turns.problem.fix ? <> <Words>{turns.problem.fix}</Words></> : null}</p>
          <NextSteps problem={turns.problem} />
          <IconButton className="small" label="Dismiss" onClick={turns.dismiss}><IconX size={13} /></IconButton>
        </div>
      ) : null}
      {editable ? <GuidelineNotice work={work} /> : null}
      {children}
    </Page>
  );
}
