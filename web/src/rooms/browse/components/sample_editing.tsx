import { useEffect, useMemo, useState, type ReactNode } from "react";
import type { FullAnnotation, SampleDetail, TrackedFinding } from "@/api/schema.gen";
import { canReshape } from "@/canvas/reshape";
import { useCommands } from "@/kit/commands";
import { addBox, AnnotationEditor, byUse, DRAW_KEYS, NudgeKeys, setShape, ShapeKeys, withoutActive, type ClassOf, type Editing } from "@/rooms/annotate/panel";
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
};

/** Editing on the page of a sample: what the image, the inspector and the keyboard do with the selected annotation. */
export function useSampleEditing({ dataset, data, selected, classes, editing, editable, isImageFocused, onSelect, onShow }: Asked) {
  const [tool, setTool] = useState<"look" | "box">("look");
  const [active, setActive] = useState<number | null>(null);
  const [picking, setPicking] = useState<Picking | null>(null);
  const [lastClass, setLastClass] = useState<number | null>(null);
  const { stage } = editing;
  const id = selected?.id ?? null;
  useEffect(() => setActive(null), [id]);

  const image = useMemo(() => ({ width: data?.width ?? 1, height: data?.height ?? 1 }), [data?.width, data?.height]);
  const forBoxes = classes.find((one) => one.id === (selected?.class_id ?? lastClass)) ?? byUse(classes)[0];
  const edit = useMemo(() => editable ? {
    tool, active,
    onReshape: (next: Pick<FullAnnotation, "bbox" | "rings" | "keypoints">) => selected && stage(setShape(selected, next)),
    onBox: (bbox: [number, number, number, number]) => {
      setTool("look");
      if (!data || !forBoxes) return;
      const change = addBox(data.id, forBoxes, bbox, "");
      stage(change);
      onSelect(change.annotation);
      setPicking({});
    },
  } : undefined, [editable, tool, active, selected, stage, data, forBoxes, onSelect]);
  useEffect(() => {
    if (selected) setLastClass(selected.class_id);
  }, [selected]);

  const canShape = editable && selected !== null && canReshape(selected);
  const removeVertex = (): boolean => {
    const next = selected && withoutActive(selected, active);
    if (selected && next) stage(setShape(selected, next));
    if (next) setActive(null);
    return Boolean(next) || active !== null;
  };
  const keys = (
    <Later>
      {editable ? <DrawKeys onBox={() => setTool(tool === "box" ? "look" : "box")} /> : null}
      {canShape ? <ShapeKeys a={selected} image={image} active={active} onActive={setActive} editing={editing} /> : null}
      {canShape && isImageFocused ? <NudgeKeys a={selected} image={image} active={active} editing={editing} /> : null}
    </Later>
  );
  const editor = editable && selected ? (
    <Later>
      <AnnotationEditor
        a={selected} classes={classes} editing={editing} picking={picking} onPicking={setPicking}
        onRemoveVertex={removeVertex} onRemoved={() => onSelect(null)}
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
      setTool("look");
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
