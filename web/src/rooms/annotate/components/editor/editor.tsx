import { useEffect, useMemo, useRef, useState } from "react";
import type { Annotation } from "@/api/schema.gen";
import { boxOf } from "@/canvas/geometry";
import { offerFrameTimes } from "@/canvas/frames";
import { preload } from "@/canvas/loaded_image";
import { Scene } from "@/canvas/scene";
import { Stage } from "@/canvas/stage";
import type { View } from "@/canvas/geometry";
import { classColour } from "@/canvas/colours";
import { useCommands } from "@/kit/commands";
import { Signal } from "@/kit/signal";
import { workThumbnail } from "../../api";
import { WORK_KEYS } from "../../keys";
import { levelOf } from "../session/wishes";
import { sendWaiting } from "../session/use_session";
import type { Work } from "../session/types";
import { Adjust, filterOf, GammaFilter } from "./adjust";
import { ClassBar } from "./class_bar";
import { colourOfClass } from "./colours";
import { DrawnKeys, ObjectKeys, ToolKeys } from "./editor_keys";
import { EditorFrame } from "./editor_frame";
import { useLooks } from "./looks";
import { ReviewKeys, useReview } from "./review";
import { Refusals } from "./saved_state";
import { SidePanel } from "./side_panel";
import { StatusLine } from "./status_line";
import { ToolRail } from "./tool_rail";
import { TurnForms, type FormName } from "./turn_forms";
import { useEditor } from "./use_editor";
import { useTurns } from "./use_turns";
import "./editor.css";

const EMPTY = new Scene([]);
/** A lease that has ended refuses nothing: its place may still be free. */
const OPEN: ReadonlySet<Work["state"]> = new Set(["draft", "sent-back", "expired"]);
/** Addresses of images that were loaded before it was known which assignment they are for, by sample. */
const early = new Map<string, string>();

/** The editor of one assignment. `onNext` goes to the next one. */
export function WorkEditor({ work, onNext }: { work: Work; onNext: () => Promise<void> }) {
  const editable = OPEN.has(work.state);
  const editor = useEditor(work, editable);
  const turns = useTurns(editor, onNext);
  const looks = useLooks(editor.stage);
  const review = useReview(editor);
  const { stage, rows, selected, foreign, chosen } = editor;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hiddenClasses, setHiddenClasses] = useState<ReadonlySet<number>>(new Set());
  const [form, setForm] = useState<FormName | null>(null);
  const [hover] = useState(() => new Signal<string | null>(null));
  const [scale] = useState(() => new Signal(1));
  const [shared] = useState(() => new Signal<View | null>(null));
  const fields = useRef<HTMLElement>(null);

  useEffect(() => {
    offerFrameTimes();
    void sendWaiting(work.assignment);
    setHidden(new Set());
    setForm(null);
    for (const next of work.ahead) {
      early.set(next.id, next.image);
      preload(next.image);
    }
  }, [work.assignment, work.ahead]);

  const colours = useMemo(() => new Map(work.classes.map((one) => [one.id, colourOfClass(one)])), [work.classes]);
  const colourOf = useMemo(() => (a: Annotation) => colours.get(a.class_id) ?? classColour(a.class_id), [colours]);
  const skeletons = useMemo(() => new Map(work.classes.filter((one) => one.skeleton.length > 0).map((one) => [one.id, one.skeleton])), [work.classes]);
  const shown = useMemo(() => [...rows.filter(({ id }) => !hidden.has(id)), ...review.over], [rows, hidden, review.over]);
  const scene = useMemo(() => new Scene(shown, levelOf), [shown]);
  const order = useMemo(() => [...rows].sort((a, b) => a.class_id - b.class_id || levelOf(b) - levelOf(a) || a.id.localeCompare(b.id)), [rows]);
  const show = (id: string) => {
    const row = editor.byId.get(id) ?? editor.others.get(id)?.row;
    if (!row) return;
    editor.select(id);
    const box = boxOf(row);
    if (box) stage.current?.show(box);
  };
  const flip = (id: string) => setHidden(flipped(hidden, id));

  useCommands(WORK_KEYS, {
    "work.submit": () => (work.kind === "review" ? review.finish(turns, () => setForm("send-back")) : editable ? turns.submit() : void onNext()),
    "work.skip": () => setForm("skip"), "work.release": () => setForm("release"), "work.ask": () => setForm("ask"),
    "work.guideline": () => void window.open(`/d/${encodeURIComponent(work.batch.dataset)}/guideline`, "_blank"),
    "work.retry": () => void editor.session.outbox.flush(),
  });
  const image = {
    src: early.get(work.sample.id) ?? work.sample.image, early: workThumbnail(work.assignment), name: work.sample.name, width: work.sample.width_px, height: work.sample.height_px,
    skeletons, labels: looks.names, hover, scale, colourOf, hidden: hiddenClasses, turn: looks.turn, first: null,
  };
  const filter = filterOf(looks.adjustment);
  return (
    <EditorFrame work={work} editor={editor} turns={turns} editable={editable}>
      <ToolKeys editor={editor} />
      <DrawnKeys editor={editor} />
      <ObjectKeys
        editor={editor} order={order} onZoom={() => selected && show(selected.id)} onFields={() => fields.current?.focus()}
        onHide={() => setHidden(editor.all.reduce((now, row) => flipped(now, row.id), hidden))}
      />
      {work.kind === "review" ? <ReviewKeys review={review} turns={turns} onForm={() => setForm("send-back")} /> : null}
      <GammaFilter gamma={looks.adjustment.gamma} />
      <div className="work" data-panel={looks.panel}>
        <ToolRail editor={editor} />
        <div className="work-middle">
          <ClassBar editor={editor} />
          <div
            className="work-images" style={filter ? ({ "--image-filter": filter } as never) : undefined} data-filtered={filter !== undefined}
            onPointerDownCapture={(event) => {
              editor.shift.current = event.shiftKey;
              editor.time.touch();
            }}
          >
            <Stage
              {...image} handle={stage} scene={looks.overlays ? scene : EMPTY} selected={selected?.id ?? foreign?.row.id ?? null} dashOf={review.dashOf}
              onPick={editor.onPick} edit={editor.edit} shared={review.isBeside ? shared : undefined}
            />
            {review.beside.map((copy) => (
              <div key={copy.assignment} className="work-copy">
                <span className="work-copy-name">{copy.author}</span>
                <Stage {...image} handle={null} scene={copy.scene} selected={foreign?.row.id ?? null} onPick={(id) => editor.select(id)} shared={shared} />
              </div>
            ))}
            {looks.isAdjusting ? <Adjust value={looks.adjustment} onChange={looks.setAdjustment} onClose={() => looks.setAdjusting(false)} /> : null}
            <TurnForms form={form} editor={editor} turns={turns} review={review} onClose={() => { setForm(null); stage.current?.focus(); }} />
          </div>
          <Refusals session={editor.session} />
          <StatusLine editor={editor} scale={scale} names={looks.names} isAdjusted={looks.isAdjusted} />
        </div>
        {looks.panel ? (
          <SidePanel
            editor={editor} order={order} chosen={chosen} hidden={hidden} hover={hover} colourOf={colourOf} fields={fields} review={review}
            hiddenClasses={hiddenClasses} onHide={(id) => setHiddenClasses(flipped(hiddenClasses, id))} onFlip={flip} onShow={show}
          />
        ) : null}
      </div>
    </EditorFrame>
  );
}

function flipped<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}
