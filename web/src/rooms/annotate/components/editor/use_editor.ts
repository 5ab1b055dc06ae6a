import { useEffect, useMemo, useRef, useState } from "react";
import type { Annotation } from "@/api/schema.gen";
import { painted, RADII, type Stroke } from "@/canvas/brush";
import { filled, withHole } from "@/canvas/filled";
import { follows } from "@/canvas/masks";
import { withMask } from "@/canvas/reshape";
import { compressed } from "@/canvas/rle";
import { simplified } from "@/canvas/simplify";
import type { StageEdit, StageHandle } from "@/canvas/stage";
import { say } from "@/kit/said";
import { Signal } from "@/kit/signal";
import type { Shape } from "../changes";
import { adding, fieldsOf, isLocked, NO_SHAPE, type Adding } from "../session/wishes";
import type { Row, WorkClass } from "../session/types";
import { useSession } from "../session/use_session";
import type { Work } from "../session/types";
import { allows, canvasTool, kindOf, TOOLS, type EditorTool } from "./tools";

/** What stays from image to image while one labels. */
const kept = { tool: "select" as EditorTool, class: "", radius: RADII.usual as number, snaps: true };

const LOCKED = "It is locked: unlock it first";

/** The state of the editor of one assignment, and what can be done in it. */
export function useEditor(work: Work, editable: boolean) {
  const { session, active: time } = useSession(work);
  const { rows, toUndo, toRedo, refused } = session.get();
  const stage = useRef<StageHandle>(null);
  const [tool, setToolState] = useState<EditorTool>(kept.tool);
  const [className, setClassName] = useState(kept.class);
  const [radius, setRadiusState] = useState(kept.radius);
  const [snaps, setSnapsState] = useState(kept.snaps);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [active, setActive] = useState<number | null>(null);
  const [brush] = useState(() => new Signal<{ x: number; y: number } | null>(null));
  const [drafted] = useState(() => new Signal<Annotation | null>(null));
  const shift = useRef(false);

  const byId = useMemo(() => new Map(rows.map((row) => [row.id, row])), [rows]);
  const others = useMemo(() => new Map(work.others.flatMap(({ author, annotations }) => annotations.map((row) => [row.id, { row, author }] as const))), [work.others]);
  const last = chosen.at(-1);
  const selected = (last !== undefined && byId.get(last)) || null;
  /** A selected annotation of a blind copy. */
  const foreign = (last !== undefined && !selected && others.get(last)) || null;
  const all = useMemo(() => chosen.map((id) => byId.get(id)).filter((row) => row !== undefined), [chosen, byId]);
  const current: WorkClass | undefined = work.classes.find(({ name }) => name === className) ?? work.classes[0];
  const classOf = (row: Row | null) => work.classes.find(({ name }) => name === row?.class);
  const size = useMemo(() => [work.sample.height_px, work.sample.width_px] as [number, number], [work.sample.height_px, work.sample.width_px]);

  useEffect(() => setActive(null), [last]);
  useEffect(() => setChosen([]), [work.assignment]);

  const setTool = (to: EditorTool) => {
    if ((to === "cut" || to === "part" || to === "eraser") && !selected) return say("Select a shape first");
    if (to === "part" && selected?.kind !== "polygon") return say("Parts are added to polygons");
    const kind = kindOf(to);
    const able = allows(current, kind) ? current : work.classes.find((one) => allows(one, kind));
    if (!able) return say("No class is drawn like this");
    if (able !== current) setClassName((kept.class = able.name));
    brush.set(null);
    setToolState((kept.tool = to === "part" || to === "cut" || to === "ruler" ? "select" : to));
    if (to === "part" || to === "cut" || to === "ruler") setToolState(to);
  };
  const select = (id: string | null, adds = false) => {
    setChosen((before) => (!id ? [] : !adds ? [id] : before.includes(id) ? before.filter((one) => one !== id) : [...before, id]));
  };
  const fixed = (row: Row | null): boolean => {
    if (row && isLocked(row)) say(LOCKED);
    return row === null || isLocked(row);
  };
  const reshape = (row: Row, next: Shape, { kind = row.kind, later = false } = {}) => {
    if (!editable || fixed(row) || (next === row && kind === row.kind)) return;
    session.do({ do: "set-shape", annotation: row.id, ...(kind === row.kind ? {} : { kind }), ...fieldsOf(kind, next) }, { later });
  };
  const add = (wishes: readonly Adding[]) => {
    if (!editable || wishes.length === 0) return;
    for (const wish of wishes) session.do(wish);
    setChosen(wishes.map((wish) => wish.annotation));
  };
  const tag = (one: WorkClass) => {
    if (!allows(one, "classification")) return say(`${one.name} is not given to whole images`);
    const has = rows.find((row) => row.kind === "classification" && row.class === one.name);
    if (has) session.do({ do: "delete", annotation: has.id });
    else add([adding(one, "classification", NO_SHAPE)]);
  };
  const takeClass = (one: WorkClass) => {
    if (!editable) return;
    setClassName((kept.class = one.name));
    if (tool === "tag") return tag(one);
    const changed = all.filter((row) => row.class !== one.name);
    if (tool === "select" && all.length) {
      for (const row of changed) if (!fixed(row)) session.do({ do: "set-class", annotation: row.id, class: one.name });
      return;
    }
    const kind = kindOf(tool);
    if (kind && !allows(one, kind)) setToolState((kept.tool = TOOLS.find((other) => kindOf(other) && allows(one, kindOf(other))) ?? "select"));
  };
  const drawn = (shape: Annotation) => {
    time.touch();
    if (tool === "cut" || tool === "part") {
      const ring = shape.rings[0];
      if (!selected || !ring) return;
      setToolState("select");
      if (tool === "part") return reshape(selected, { ...selected, rings: [...selected.rings, ring] });
      const source = selected.kind === "box" && selected.bbox ? { ...selected, mask: filled([cornersOfBox(selected.bbox)], size) } : selected;
      const holed = withHole(source, ring, size);
      if (!holed) return say("Nothing would be left: delete the annotation instead");
      if (holed !== source) reshape(selected, holed, { kind: "mask" });
      return;
    }
    const kind = kindOf(tool);
    if (current && kind) add([adding(current, kind, shape)]);
  };
  const paint = (stroke: Stroke) => {
    time.touch();
    const mask = selected?.mask ?? null;
    if (!mask && (stroke.erase || !current)) return;
    const before = mask ?? { size, counts: compressed([size[0] * size[1]]) };
    const next = painted(before, stroke);
    if (next === before) return;
    if (!next) return selected && !fixed(selected) ? void session.do({ do: "delete", annotation: selected.id }) : undefined;
    if (!selected?.mask) return current && add([adding(current, "mask", { ...NO_SHAPE, mask: next })]);
    follows(next, before);
    reshape(selected, withMask(selected, next));
  };
  const attributes = (row: Row, values: Record<string, unknown>) => {
    if (editable) session.do({ do: "set-attributes", annotation: row.id, attributes: values });
  };
  const remove = (list: readonly Row[] = all) => {
    if (!editable) return;
    for (const row of list) if (!fixed(row)) session.do({ do: "delete", annotation: row.id });
    setChosen([]);
  };
  const simplify = () => {
    if (!selected?.rings.length || selected.kind === "rotated_box" || selected.kind === "ellipse") return;
    const rings = selected.rings.map((ring) => [...simplified(ring, 1.5)]);
    const [before, after] = [selected.rings, rings].map((list) => list.reduce((sum, ring) => sum + ring.length / 2, 0));
    if (before === after) return say("It has no points that can be left out");
    reshape(selected, { ...selected, rings });
    say(`${before} points became ${after}`);
  };

  const edit: StageEdit | undefined = editable ? {
    tool: canvasTool(tool), active, radius, brush, drafted, isFixed: isLocked(selected),
    pen: { classId: current?.id ?? 0, joints: current?.keypoints.length ?? 0, snaps, starts: tool === "brush" && current !== undefined },
    onPaint: paint, onDrawn: drawn, onBox: () => {},
    onReshape: (next) => {
      time.touch();
      if (selected) reshape(selected, next);
    },
  } : undefined;

  return {
    work, session, time, rows, toUndo, toRedo, refused, editable, stage, size, current, classOf, tool, radius, snaps, chosen, selected, foreign, all, active, brush, drafted, edit,
    shift, others, byId, setTool, select, setActive, setChosen, reshape, add, takeClass, attributes, remove, simplify,
    setRadius: (to: number) => setRadiusState((kept.radius = to)),
    setSnaps: (to: boolean) => setSnapsState((kept.snaps = to)),
    onPick: (id: string | null, handle: number | null) => {
      time.touch();
      if (handle !== null) return setActive(handle);
      // The brush goes on painting: what is under it is not meant.
      if (tool === "brush" || tool === "eraser") return;
      select(id, shift.current);
    },
  };
}

export type Editor = ReturnType<typeof useEditor>;

const cornersOfBox = ([x, y, w, h]: readonly [number, number, number, number]): number[] => [x, y, x + w, y, x + w, y + h, x, y + h];
