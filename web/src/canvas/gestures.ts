import type { Annotation } from "@/api/schema.gen";
import type { Camera } from "@/canvas/camera";
import { cursorOf, handleAt, type Handle } from "@/canvas/handles";
import { boxBetween, canReshape, dragged, moved, type Bounds } from "@/canvas/reshape";
import type { Scene } from "@/canvas/scene";

/** "box": dragging draws a new box. "brush" and "eraser": dragging paints the selected mask. */
export type Tool = "look" | "box" | "brush" | "eraser";

/** What gestures need to know, asked for at each of them. */
export type Around = {
  camera: Camera;
  scene: Scene;
  hidden: ReadonlySet<number>;
  image: Bounds;
  selected: Annotation | null;
  handles: readonly Handle[];
  tool: Tool;
  editable: boolean;
};

/** What gestures say. */
export type Heard = {
  onHover: (id: string | null) => void;
  onPick: (id: string | null, handle: number | null) => void;
  /** An edit as it would be now; null where there is none any more. */
  onDraft: (draft: Annotation | null) => void;
  onReshape: (next: Annotation) => void;
  onBox: (bbox: [number, number, number, number]) => void;
  /** Where the hand went with the brush, in image pixels: so far, and in the end. */
  onStroke: (points: readonly number[]) => void;
  onPaint: (points: readonly number[]) => void;
  /** Where the brush is, in image pixels. */
  onBrush: (x: number, y: number) => void;
  onCursor: (cursor: string) => void;
};

export const isPainting = (tool: Tool): tool is "brush" | "eraser" => tool === "brush" || tool === "eraser";

type Drag =
  | { what: "move" }
  | { what: "annotation"; a: Annotation }
  | { what: "handle"; a: Annotation; handle: Handle; at: number }
  | { what: "stroke"; points: number[] }
  | { what: "box" };

type At = { x: number; y: number };

/** Pixels that a press may slip without being a drag, how near a handle is taken, and how near a line is hit. */
const [SLIP, REACH, SLACK] = [4, 9, 4];

/** Turns presses and moves of pointers (mouse, pen, fingers) into looking around, picking and reshaping. */
export class Gestures {
  private drag: (Drag & { from: At; last: At; moved: boolean }) | null = null;
  private readonly fingers = new Map<number, At>();
  private draft: Annotation | null = null;

  constructor(private readonly around: () => Around, private readonly heard: Heard) {}

  down(pointer: number, at: At): void {
    this.fingers.set(pointer, at);
    if (this.fingers.size > 1) return this.stop();
    this.drag = { ...this.meant(at), from: at, last: at, moved: false };
    if (this.drag.what === "stroke") this.stroke(this.drag.points, at);
  }

  move(pointer: number, at: At): void {
    if (this.fingers.size > 1) return this.pinch(pointer, at);
    if (!this.drag) return this.hover(at);
    const { drag } = this;
    if (drag.what === "stroke") return this.stroke(drag.points, at);
    if (!drag.moved && Math.hypot(at.x - drag.from.x, at.y - drag.from.y) < SLIP) return;
    if (drag.what === "move") this.around().camera.move(at.x - drag.last.x, at.y - drag.last.y);
    else this.show(this.drafted(drag, at));
    drag.last = at;
    drag.moved = true;
  }

  up(pointer: number, at: At): void {
    this.fingers.delete(pointer);
    const { drag, draft } = this;
    this.stop();
    if (!drag) return;
    if (drag.what === "stroke") return this.heard.onPaint(drag.points);
    if (!drag.moved) return this.heard.onPick(this.at(at), drag.what === "handle" ? drag.at : null);
    if (drag.what === "box" && draft?.bbox) this.heard.onBox(draft.bbox as [number, number, number, number]);
    else if (draft && drag.what !== "move") this.heard.onReshape(draft);
  }

  cancel(pointer: number): void {
    this.fingers.delete(pointer);
    this.stop();
  }

  private stop(): void {
    if (this.drag?.what === "stroke") this.heard.onStroke([]);
    this.drag = null;
    this.show(null);
  }

  private stroke(points: number[], at: At): void {
    const { x, y } = this.around().camera.toImage(at.x, at.y);
    points.push(x, y);
    this.heard.onBrush(x, y);
    this.heard.onStroke(points);
  }

  private show(draft: Annotation | null): void {
    if (draft === this.draft) return;
    this.draft = draft;
    this.heard.onDraft(draft);
  }

  /** What a press at a place starts. */
  private meant(at: At): Drag {
    const { selected, handles, editable, tool, camera } = this.around();
    if (!editable) return { what: "move" };
    if (tool === "box") return { what: "box" };
    if (isPainting(tool)) return selected?.mask ? { what: "stroke", points: [] } : { what: "move" };
    const near = selected ? handleAt(handles, camera.view, at.x, at.y, REACH) : null;
    const handle = near === null ? undefined : handles[near];
    if (selected && handle && near !== null) return { what: "handle", a: selected, handle, at: near };
    if (selected && canReshape(selected) && this.at(at) === selected.id) return { what: "annotation", a: selected };
    return { what: "move" };
  }

  private drafted(drag: Drag & { from: At }, at: At): Annotation | null {
    const { camera, image } = this.around();
    const [from, to] = [camera.toImage(drag.from.x, drag.from.y), camera.toImage(at.x, at.y)];
    if (drag.what === "annotation") return moved(drag.a, to.x - from.x, to.y - from.y, image);
    if (drag.what === "handle") return dragged(drag.a, drag.handle, to.x, to.y, image);
    const bbox = drag.what === "box" ? boxBetween(from.x, from.y, to.x, to.y, image) : null;
    return bbox && { id: "", kind: "box", class: "", class_id: 0, bbox, rings: [], keypoints: [], mask: null, score: null, iscrowd: false, author: "", text: null };
  }

  private at({ x, y }: At): string | null {
    const { camera, scene, hidden } = this.around();
    const place = camera.toImage(x, y);
    return scene.hit(place.x, place.y, SLACK / camera.view.scale, hidden)?.id ?? null;
  }

  private hover(at: At): void {
    const { selected, handles, editable, tool, camera } = this.around();
    if (editable && isPainting(tool) && selected?.mask) {
      const place = camera.toImage(at.x, at.y);
      this.heard.onBrush(place.x, place.y);
      this.heard.onHover(null);
      return this.heard.onCursor("crosshair");
    }
    const near = editable && selected ? handleAt(handles, camera.view, at.x, at.y, REACH) : null;
    const id = this.at(at);
    this.heard.onHover(id);
    const holds = editable && selected !== null && id === selected.id && canReshape(selected);
    this.heard.onCursor(tool === "box" && editable ? "crosshair" : near !== null ? cursorOf(handles[near]) : holds ? "move" : "");
  }

  /** Two fingers zoom and move at once. */
  private pinch(pointer: number, at: At): void {
    const before = [...this.fingers.values()].slice(0, 2) as [At, At];
    this.fingers.set(pointer, at);
    const after = [...this.fingers.values()].slice(0, 2) as [At, At];
    const middle = ([p, q]: [At, At]) => ({ x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 });
    const apart = ([p, q]: [At, At]) => Math.max(1, Math.hypot(p.x - q.x, p.y - q.y));
    const [from, to] = [middle(before), middle(after)];
    const { camera } = this.around();
    camera.move(to.x - from.x, to.y - from.y);
    camera.zoom(apart(after) / apart(before), to.x, to.y);
  }
}
