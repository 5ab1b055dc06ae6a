import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import type { FullAnnotation, SampleDetail, TrackedFinding } from "@/api/schema.gen";
import { painted, RADII, type Stroke } from "@/canvas/brush";
import { isPainting, type Tool } from "@/canvas/gestures";
import { follows } from "@/canvas/masks";
import { canReshape, withMask } from "@/canvas/reshape";
import type { StageEdit } from "@/canvas/stage";
import { isTurned } from "@/canvas/turned";
import { useCommands } from "@/kit/commands";
import { say } from "@/kit/said";
import { Signal } from "@/kit/signal";
import {
  addBox, AnnotationEditor, BrushKeys, byUse, DRAW_KEYS, hasActivePoint, KeypointKeys, MaskKeys, NudgeKeys, setShape, ShapeKeys, TurnKeys, withoutActive,
  type ClassOf, type Editing, type Shape,
} from "@/rooms/annotate/panel";
import * as findings from "@/rooms/findings/api";

type Picking = { after?: () => Promise<unknown> };

type Asked = {
  dataset: string;
  data: SampleDetail | undefined;
  selected: FullAnnotation | null;
  classes: readonly ClassOf[];
  editing: Editing;
  /** On a commit nothing can be edited. */
  editable: boolean;
  isImageFocused: boolean;
  onSelect: (id: string | null) => void;
  onShow: (id: string, labelSet: string | null) => void;
  /** Give the image the focus, so that the arrow keys are for it. */
  onImage: () => void;
};

/** Editing on the page of a sample: what the image, the inspector and the keyboard do with the selected annotation. */
export function useSampleEditing({ dataset, data, selected, classes, editing, editable, isImageFocused, onSelect, onShow, onImage }: Asked) {
  const [taken, setTool] = useState<Tool>("look");
  const [radius, setRadius] = useState<number>(RADII.usual);
  const [brush] = useState(() => new Signal<{ x: number; y: number } | null>(null));
  const [active, setActive] = useState<number | null>(null);
  const [picking, setPicking] = useState<Picking | null>(null);
  const [lastClass, setLastClass] = useState<number | null>(null);
  const { stage } = editing;
  const mask = selected?.mask ?? null;
  const tool = isPainting(taken) && !mask ? "look" : taken;
  const id = selected?.id ?? null;
  useEffect(() => setActive(null), [id]);

  const image = useMemo(() => ({ width: data?.width ?? 1, height: data?.height ?? 1 }), [data?.width, data?.height]);
  const forBoxes = classes.find((one) => one.id === (selected?.class_id ?? lastClass)) ?? byUse(classes)[0];
  const paint = useCallback((stroke: Stroke) => {
    if (!selected || !mask) return;
    const next = painted(mask, stroke);
    if (!next) return say("A mask keeps a pixel at least: delete the annotation instead");
    if (next === mask) return;
    follows(next, mask);
    stage(setShape(selected, withMask(selected, next)));
  }, [selected, mask, stage]);
  const edit: StageEdit | undefined = useMemo(() => editable ? {
    tool, active, radius, brush, onPaint: paint,
    onReshape: (next: Shape) => selected && stage(setShape(selected, next)),
    onBox: (bbox: [number, number, number, number]) => {
      setTool("look");
      if (!data || !forBoxes) return;
      const change = addBox(data.id, forBoxes, bbox, "");
      stage(change);
      onSelect(change.annotation);
      setPicking({});
    },
  } : undefined, [editable, tool, active, radius, brush, paint, selected, stage, data, forBoxes, onSelect]);
  useEffect(() => {
    if (selected) setLastClass(selected.class_id);
  }, [selected]);

  const canShape = editable && selected !== null && canReshape(selected);
  const removePoint = (): boolean => {
    const next = selected && withoutActive(selected, active);
    if (selected && next) stage(setShape(selected, next));
    if (next) setActive(null);
    return Boolean(next) || (selected !== null && hasActivePoint(selected, active));
  };
  const takeUp = (to: Tool) => {
    setTool(to);
    brush.set(null);
    if (isPainting(to)) onImage();
  };
  const painting = { tool, radius, onTool: takeUp, onRadius: setRadius };
  const box = selected?.bbox;
  const middle = box ? { x: box[0] + box[2] / 2, y: box[1] + box[3] / 2 } : { x: image.width / 2, y: image.height / 2 };
  const keys = (
    <Later>
      {editable ? <DrawKeys onBox={() => setTool(tool === "box" ? "look" : "box")} /> : null}
      {canShape ? <ShapeKeys a={selected} image={image} active={active} onActive={setActive} editing={editing} /> : null}
      {canShape && isTurned(selected) ? <TurnKeys a={selected} editing={editing} /> : null}
      {canShape && selected.keypoints.length ? <KeypointKeys a={selected} active={active} onActive={setActive} editing={editing} /> : null}
      {editable && mask ? <MaskKeys {...painting} /> : null}
      {canShape && isImageFocused && isPainting(tool) ? (
        <BrushKeys brush={brush} start={middle} image={image} onDab={({ x, y }) => paint({ points: [x, y], radius, erase: tool === "eraser" })} />
      ) : null}
      {canShape && isImageFocused && !isPainting(tool) ? <NudgeKeys a={selected} image={image} active={active} editing={editing} /> : null}
    </Later>
  );
  const editor = editable && selected ? (
    <Later>
      <AnnotationEditor
        a={selected} classes={classes} editing={editing} picking={picking} onPicking={setPicking}
        painting={painting} onRemovePoint={removePoint} onRemoved={() => onSelect(null)}
      />
    </Later>
  ) : null;
  return {
    edit, keys, editor, tool, setTool,
    /** Arrow keys are for the annotation. */
    nudges: canShape && isImageFocused,
    onPick: (picked: string | null, handle: number | null) => {
      if (handle !== null) return setActive(handle);
      setPicking(null);
      onSelect(picked);
    },
    /** One step out: the tool, the active point; false where there is none. */
    leave: (): boolean => {
      if (tool === "look" && active === null) return false;
      takeUp("look");
      setActive(null);
      return true;
    },
    /** Another class than the one that a finding suggests: once it is staged, the finding is fixed. */
    onClass: editable ? (finding: TrackedFinding) => {
      if (!finding.annotation_id) return;
      onShow(finding.annotation_id, finding.label_set);
      setPicking({ after: () => findings.decide(dataset, { keys: [finding.key] }, { state: "fixed", note: "", assignee: "" }) });
    } : undefined,
  };
}

function DrawKeys({ onBox }: { onBox: () => void }) {
  useCommands(DRAW_KEYS, { "edit.box": onBox });
  return null;
}

/** After everything else of the page: of two commands with one key, the one that came last is meant. */
function Later({ children }: { children: ReactNode }) {
  const [isLater, setLater] = useState(false);
  useEffect(() => setLater(true), []);
  return isLater ? children : null;
}
