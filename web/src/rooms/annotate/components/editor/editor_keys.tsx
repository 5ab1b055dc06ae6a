import { stepRadius } from "@/canvas/brush";
import { boxOf } from "@/canvas/geometry";
import { handlesOf } from "@/canvas/handles";
import { canReshape, dragged, moved, withVisibility } from "@/canvas/reshape";
import { turned } from "@/canvas/turned";
import { useCommands } from "@/kit/commands";
import { say } from "@/kit/said";
import { DRAWN_KEYS, OBJECT_KEYS, TOOL_KEYS } from "../../keys";
import { nextVisibility } from "../keypoints";
import { withoutActive } from "../shape_keys";
import { copies, isLocked, levelOf, OWN } from "../session/wishes";
import type { Row } from "../session/types";
import { uuid7 } from "../session/uuid";
import { classLines, commandOf } from "./class_keys";
import { TOOLS, type EditorTool } from "./tools";
import type { Editor } from "./use_editor";

/** What was copied, and all of the image before: they stay while the app is open. */
const clipboard: { rows: readonly Row[]; size: readonly [number, number]; image: string } = { rows: [], size: [1, 1], image: "" };
export const before: { rows: readonly Row[]; size: readonly [number, number] } = { rows: [], size: [1, 1] };

const ARROWS = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] } as const;
/** Pixels of the screen that an arrow moves the image where nothing is selected. */
const PAN = 48;

/** The commands of tools and of what is drawn. */
export function ToolKeys({ editor }: { editor: Editor }) {
  useCommands(TOOL_KEYS, Object.fromEntries([...TOOLS, "part" as const].map((tool: EditorTool) => [`tool.${tool}`, () => editor.setTool(tool)])) as Record<keyof typeof TOOL_KEYS, () => void>);
  useCommands(classLines(editor.work.classes), Object.fromEntries(editor.work.classes.map((one) => [commandOf(one), () => editor.takeClass(one)])));
  return null;
}

export function DrawnKeys({ editor }: { editor: Editor }) {
  const { selected, active, stage, size, tool, brush } = editor;
  const image = { width: size[1], height: size[0] };
  const row = selected && canReshape(selected) ? selected : null;
  const handles = row ? handlesOf(row) : [];
  const stops = handles.flatMap((handle, at) => (handle.what === "middle" ? [] : [at]));
  const draws = editor.edit?.tool.startsWith("draw ") || editor.edit?.tool === "brush" || editor.edit?.tool === "eraser";

  const walk = (by: number) => () => {
    const at = active === null ? -1 : stops.indexOf(active);
    if (stops.length) editor.setActive(stops[(at + by + stops.length + (at < 0 && by < 0 ? 1 : 0)) % stops.length] ?? null);
  };
  const insert = () => {
    const from = active === null ? undefined : handles[active];
    const middle = handles.find((one) => one.what === "middle" && from?.what === "vertex" && one.ring === from.ring && one.at === from.at);
    if (row && middle) editor.reshape(row, dragged(row, middle, middle.x, middle.y, image));
  };
  const cursor = () => {
    const box = row ? boxOf(row) : null;
    return brush.get() ?? (box ? { x: box.x + box.w / 2, y: box.y + box.h / 2 } : { x: image.width / 2, y: image.height / 2 });
  };
  const arrow = (dx: number, dy: number, far: boolean) => () => {
    const by = far ? 10 : 1;
    if (draws) {
      const from = cursor();
      const to = { x: Math.min(image.width, Math.max(0, from.x + dx * by)), y: Math.min(image.height, Math.max(0, from.y + dy * by)) };
      brush.set(to);
      return stage.current?.point(to);
    }
    if (!row) return stage.current?.move(-dx * PAN * (far ? 4 : 1), -dy * PAN * (far ? 4 : 1));
    const handle = active === null ? undefined : handles[active];
    editor.reshape(row, handle ? dragged(row, handle, handle.x + dx * by, handle.y + dy * by, image) : moved(row, dx * by, dy * by, image), { later: true });
  };
  const space = () => {
    const at = cursor();
    brush.set(at);
    if (tool === "brush" || tool === "eraser") return editor.edit?.onPaint({ points: [at.x, at.y], radius: editor.radius, erase: tool === "eraser" });
    if (draws) stage.current?.press(at);
  };
  const hidden = () => {
    if (stage.current?.joint(1)) return;
    const handle = active === null ? undefined : handles[active];
    if (row && handle?.what === "keypoint") editor.reshape(row, withVisibility(row, handle.at, nextVisibility(row, handle.at)));
  };
  const remove = () => {
    if (draws && stage.current?.back()) return;
    const next = selected && withoutActive(selected, active);
    if (!selected || !next) return editor.remove();
    editor.reshape(selected, next as Row);
    editor.setActive(null);
  };
  const back = () => {
    if (stage.current?.back(true)) return;
    if (tool !== "select") return editor.setTool("select");
    if (active !== null) return editor.setActive(null);
    editor.select(null);
  };
  const turn = (degrees: number) => () => row && editor.reshape(row, turned(row, degrees), { later: true });
  useCommands(DRAWN_KEYS, {
    "draw.enter": () => (stage.current?.finish() ? undefined : insert()),
    "draw.space": space, "draw.joint-hidden": hidden, "draw.joint-none": () => stage.current?.joint(0), "draw.delete": remove, "draw.back": back,
    "draw.left": arrow(...ARROWS.left, false), "draw.right": arrow(...ARROWS.right, false), "draw.up": arrow(...ARROWS.up, false), "draw.down": arrow(...ARROWS.down, false),
    "draw.left-far": arrow(...ARROWS.left, true), "draw.right-far": arrow(...ARROWS.right, true), "draw.up-far": arrow(...ARROWS.up, true), "draw.down-far": arrow(...ARROWS.down, true),
    "draw.handle": walk(1), "draw.handle-before": walk(-1),
    "draw.turn": turn(1), "draw.turn-back": turn(-1), "draw.turn-far": turn(15), "draw.turn-back-far": turn(-15),
    "draw.simplify": editor.simplify,
    "draw.thinner": () => editor.setRadius(stepRadius(editor.radius, -1)), "draw.thicker": () => editor.setRadius(stepRadius(editor.radius, 1)),
    "draw.snap": () => {
      editor.setSnaps(!editor.snaps);
      say(editor.snaps ? "Points stay where they are put" : "Points are drawn to outlines nearby");
    },
  });
  return null;
}

type ObjectProps = { editor: Editor; order: readonly Row[]; onZoom: () => void; onFields: () => void; onHide: () => void };

/** The commands of annotations as wholes. */
export function ObjectKeys({ editor, order, onZoom, onFields, onHide }: ObjectProps) {
  const { all, selected, size, work, rows, session } = editor;
  const wh = [size[1], size[0]] as const;
  const step = (by: number) => () => {
    if (order.length === 0) return;
    const at = order.findIndex(({ id }) => id === selected?.id);
    editor.select(order[(at + by + order.length + (at < 0 && by < 0 ? 1 : 0)) % order.length]?.id ?? null);
  };
  const give = (name: string, valueOf: (row: Row) => unknown) => () => all.forEach((row) => editor.attributes(row, { [name]: valueOf(row) }));
  const levels = rows.map(levelOf);
  const group = () => {
    if (all.length < 2) return say("Select two annotations or more: Shift adds to the selection");
    const names = new Set(all.map((row) => row.attributes[OWN.group]));
    const isOne = names.size === 1 && !names.has(undefined);
    const name = isOne ? null : uuid7().slice(-8);
    for (const row of all) editor.attributes(row, { [OWN.group]: name });
    say(isOne ? "The group is taken apart" : `${all.length} annotations are a group`);
  };
  const add = (from: readonly Row[], was: readonly [number, number], by: number, what: string) => {
    const wishes = copies(from, was, wh, by);
    if (wishes.length === 0) return say(from.length ? "Masks are copied between images of one size only" : what);
    editor.add(wishes);
  };
  useCommands(OBJECT_KEYS, {
    "object.next": step(1), "object.previous": step(-1), "object.zoom": onZoom, "object.fields": onFields, "object.hide": onHide,
    "object.copy": () => {
      Object.assign(clipboard, { rows: all, size: wh, image: work.sample.id });
      say(all.length === 1 ? "Copied" : `${all.length} annotations copied`);
    },
    "object.paste": () => add(clipboard.rows, clipboard.size, clipboard.image === work.sample.id ? 12 : 0, "Nothing was copied yet"),
    "object.duplicate": () => add(all, wh, 12, "Nothing is selected"),
    "object.from-previous": () => add(before.rows, before.size, 0, "No image was labelled before this one"),
    "object.group": group,
    "object.front": give(OWN.level, () => Math.max(0, ...levels) + 1), "object.behind": give(OWN.level, () => Math.min(0, ...levels) - 1),
    "object.lock": give(OWN.locked, (row) => (isLocked(row) ? null : true)),
    "object.undo": () => session.undo(), "object.redo": () => session.redo(),
  });
  return null;
}
