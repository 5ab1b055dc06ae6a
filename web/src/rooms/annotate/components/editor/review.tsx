import { useEffect, useMemo, useState } from "react";
import type { Annotation } from "@/api/schema.gen";
import { Scene } from "@/canvas/scene";
import { useCommands } from "@/kit/commands";
import { say } from "@/kit/said";
import { REVIEW_KEYS } from "../../keys";
import { adding } from "../session/wishes";
import type { Mark } from "./copies_panel";
import type { Editor } from "./use_editor";
import type { Turns } from "./use_turns";

/** How a review looks at the copies, and what it will send back. */
export function useReview(editor: Editor) {
  const { work, foreign, selected } = editor;
  const [isOver, setOver] = useState(true);
  const [isBeside, setBeside] = useState(false);
  const [marks, setMarks] = useState<ReadonlyMap<string, Mark>>(new Map());
  useEffect(() => setMarks(new Map()), [work.assignment]);
  const isReview = work.kind === "review";
  const patterns = useMemo(() => new Map(work.others.flatMap(({ annotations }, at) => annotations.map(({ id }) => [id, at + 1] as const))), [work.others]);
  const dashOf = useMemo(() => (work.others.length ? (a: Annotation) => patterns.get(a.id) ?? 0 : undefined), [patterns, work.others]);
  const over = useMemo(() => (isReview && isOver && !isBeside ? work.others.flatMap(({ annotations }) => annotations) : []), [isReview, isOver, isBeside, work.others]);
  const copies = useMemo(() => work.others.map((copy) => ({ ...copy, scene: new Scene(copy.annotations) })), [work.others]);
  return {
    isReview, isOver, isBeside, marks, over, dashOf, beside: isReview && isBeside ? copies : [],
    flipOver: () => {
      setOver(isBeside || !isOver);
      setBeside(false);
    },
    flipBeside: () => setBeside(!isBeside),
    /** A single annotation is marked, or not any more. */
    mark: (id: string, mark: Mark) => setMarks(new Map(marks).set(id, mark)),
    markedId: selected?.id ?? null,
    take: () => {
      const one = work.classes.find(({ name }) => name === foreign?.row.class);
      if (!foreign || !one) return say("Select an annotation of a copy first");
      const { row, author } = foreign;
      editor.add([{ ...adding(one, row.kind, row), attributes: { ...row.attributes } }]);
      say(`Taken from ${author}`);
    },
    /** Accept what has no mark; what has one is sent back. */
    finish: (turns: Turns, onForm: () => void) => {
      if (marks.size === 0) return turns.accept();
      editor.select(null);
      onForm();
    },
  };
}

export type Review = ReturnType<typeof useReview>;

export function ReviewKeys({ review, turns, onForm }: { review: Review; turns: Turns; onForm: () => void }) {
  useCommands(REVIEW_KEYS, {
    "review.accept": () => (review.marks.size ? say("Annotations are marked: send the image back, or take the marks off by undoing them") : turns.accept()),
    "review.send-back": onForm, "review.take": review.take, "review.copies": review.flipOver, "review.beside": review.flipBeside,
  });
  return null;
}
