import { useState } from "react";
import { Problem } from "@/api/client";
import { say } from "@/kit/said";
import * as api from "../../api";
import { missingOf } from "../session/wishes";
import { uuid7 } from "../session/uuid";
import type { Mark } from "./copies_panel";
import { before } from "./editor_keys";
import type { Editor } from "./use_editor";

/** Ids of submissions that may have to be repeated: one assignment and round is submitted once. */
const submissions = new Map<string, string>();

/** What ends the work on an image: submit, accept, send back, skip, release; each waits until all is saved. */
export function useTurns(editor: Editor, onNext: () => Promise<void>) {
  const { work, session, time } = editor;
  const [busy, setBusy] = useState<"" | "waiting" | "sending">("");
  const [problem, setProblem] = useState<Problem | null>(null);

  const finish = async (send: (id: string) => Promise<unknown>) => {
    if (busy) return;
    setProblem(null);
    setBusy("waiting");
    try {
      await session.outbox.drained();
      setBusy("sending");
      const key = `${work.assignment} ${work.round}`;
      const id = submissions.get(key) ?? uuid7();
      submissions.set(key, id);
      await send(id);
      submissions.delete(key);
      Object.assign(before, { rows: session.get().rows, size: [work.sample.width_px, work.sample.height_px] });
      await onNext();
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "page-failed", String(error), "", "reload the page"));
    } finally {
      setBusy("");
    }
  };
  return {
    busy, problem,
    dismiss: () => setProblem(null),
    submit: () => {
      const lacking = session.get().rows.find((row) => missingOf(row, editor.classOf(row)).length > 0);
      if (lacking) {
        editor.select(lacking.id);
        return say(`${lacking.class}: ${missingOf(lacking, editor.classOf(lacking)).map(({ name }) => name).join(", ")} is required`);
      }
      void finish((id) => api.submitWork(work.assignment, { id, active_ms: time.take() }));
    },
    accept: () => void finish((id) => api.reviewWork(work.assignment, { id, verdict: "accept", active_ms: time.take(), remarks: [] })),
    sendBack: ({ category, note }: Mark, marks: ReadonlyMap<string, Mark>) =>
      void finish((id) => api.reviewWork(work.assignment, {
        id, verdict: "send-back", active_ms: time.take(),
        remarks: [...(note || marks.size === 0 ? [{ category, note, annotation: "" }] : []), ...[...marks].map(([annotation, mark]) => ({ ...mark, annotation }))],
      })),
    leave: (how: "skip" | "release", reason: string) => void finish(() => api.leaveWork(work.assignment, how, reason)),
    ask: async (question: api.Question) => {
      try {
        await session.outbox.drained();
        await api.askAbout(work.assignment, question);
        say("Asked: the answer comes here and to your page");
      } catch (error) {
        if (error instanceof Problem) setProblem(error);
      }
    },
  };
}

export type Turns = ReturnType<typeof useTurns>;
