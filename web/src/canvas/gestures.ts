import type { Annotation } from "@/api/schema.gen";
import type { Camera } from "@/canvas/camera";
import { Drawing, type Paper } from "@/canvas/drawing";
import { isOn } from "@/canvas/geometry";
import { cursorOf, handleAt, type Handle } from "@/canvas/handles";
import { boxBetween, canReshape, dragged, moved, type Bounds } from "@/canvas/reshape";
import type { Scene } from "@/canvas/scene";
import { snapped } from "@/canvas/snap";
import { drawableOf, isPainting, type Heard, type Pen, type Tool } from "@/canvas/tools";

export { isPainting, type Pen, type Tool } from "@/canvas/tools";

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
  pen?: Pen | undefined;
  /** The selected annotation is not to be changed by hand. */
  isFixed?: boolean;
};

type Drag =
  | { what: "move" }
  | { what: "annotation"; a: Annotation }
  | { what: "handle"; a: Annotation; handle: Handle; at: number }
  | { what: "stroke"; points: number[] }
  | { what: "draw" }
  | { what: "box" };

type At = { x: number; y: number; /** Not drawn to outlines nearby. */ free?: boolean };

/** Pixels that a press may slip without being a drag, how near a handle is taken, a line is hit, and an outline draws a new point. */
const [SLIP, REACH, SLACK, PULL] = [4, 9, 4, 8];

/** Turns presses and moves of pointers (mouse, pen, fingers) into looking around, picking and reshaping. */
export class Gestures {
  private drag: (Drag & { from: At; last: At; moved: boolean }) | null = null;
  private readonly fingers = new Map<number, At>();
  private draft: Annotation | null = null;
  private isFree = false;
  readonly drawing = new Drawing(() => this.paper());

  constructor(private readonly around: () => Around, private readonly heard: Heard) {}

  /** A press; `looks` where it moves the image whatever the tool is. */
  down(pointer: number, at: At, looks = false): void {
    this.fingers.set(pointer, at);
    this.isFree = at.free ?? false;
    if (this.fingers.size > 1) return this.stop(true);
    this.drag = { ...(looks ? { what: "move" } : this.meant(at)), from: at, last: at, moved: false };
    if (this.drag.what === "stroke") this.stroke(this.drag.points, at);
    if (this.drag.what === "draw") this.drawn(this.drawing.press(this.place(at)));
  }

  move(pointer: number, at: At): void {
    if (this.fingers.size > 1) return this.pinch(pointer, at);
    if (!this.drag) return this.hover(at);
    const { drag } = this;
    if (drag.what === "stroke") return this.stroke(drag.points, at);
    if (!drag.moved && Math.hypot(at.x - drag.from.x, at.y - drag.from.y) < SLIP) return;
    if (drag.what === "move") this.around().camera.move(at.x - drag.last.x, at.y - drag.last.y);
    else if (drag.what === "draw") {
      this.drawing.drag(this.place(at));
      this.show(this.drawing.draft());
    } else this.show(this.drafted(drag, at));
    drag.last = at;
    drag.moved = true;
  }

  up(pointer: number, at: At): void {
    this.fingers.delete(pointer);
    const { drag, draft } = this;
    this.isFree = at.free ?? false;
    this.stop();
    if (!drag) return;
    if (drag.what === "draw") return this.drawn(this.drawing.release(this.place(at), drag.moved));
    if (drag.what === "stroke") return this.heard.onPaint(drag.points);
    if (!drag.moved) return drawableOf(this.around().tool) ? undefined : this.heard.onPick(this.at(at), drag.what === "handle" ? drag.at : null);
    if (drag.what === "box" && draft?.bbox) this.heard.onBox(draft.bbox as [number, number, number, number]);
    else if (draft && drag.what !== "move") this.heard.onReshape(draft);
  }

  cancel(pointer: number): void {
    this.fingers.delete(pointer);
    this.stop();
  }

  /** A press with the keyboard's own cursor, in image pixels. */
  pressAt(at: At): void {
    this.drawn(this.drawing.press(at));
  }

  hoverAt(at: At): void {
    this.drawing.hover(at);
    this.show(this.drawing.draft());
  }

  /** Complete what is being drawn, as it is; whether something was. */
  finish(): boolean {
    const wasBegun = this.drawing.isBegun;
    this.drawn(this.drawing.finish());
    return wasBegun;
  }

  /** Hide the last joint of a skeleton (1), or leave the next one out (0). */
  joint(visibility: 0 | 1): boolean {
    const isBegun = drawableOf(this.around().tool) === "keypoints";
    if (isBegun) this.drawn(this.drawing.joint(visibility));
    return isBegun;
  }

  /** Take back the last point of what is being drawn, or all of it; whether something was. */
  back(all = false): boolean {
    const had = all ? this.drawing.clear() : this.drawing.back();
    this.show(this.drawing.draft());
    return had;
  }

  private drawn(shape: Annotation | null): void {
    if (shape) {
      this.drag = null;
      this.show(null);
      this.heard.onDrawn?.(shape);
    } else this.show(this.drawing.draft());
  }

  private stop(byFingers = false): void {
    if (this.drag?.what === "stroke") this.heard.onStroke([]);
    if (byFingers && this.drag?.what === "draw") this.drawing.back();
    this.drag = null;
    this.show(this.drawing.draft());
  }

  private place(at: At): At {
    return this.around().camera.toImage(at.x, at.y);
  }

  private paper(): Paper {
    const { tool, pen, image, camera, scene, selected } = this.around();
    const scale = camera.view.scale;
    const draws = pen?.snaps && !this.isFree;
    return {
      what: drawableOf(tool) ?? "box", classId: pen?.classId ?? 0, joints: pen?.joints ?? 0, image, scale,
      snap: (at) => (draws ? snapped(scene, at, PULL / scale, tool === "draw cut" ? (selected?.id ?? null) : null) : at),
    };
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
    const { selected, handles, editable, tool, camera, pen, isFixed } = this.around();
    if (!editable) return { what: "move" };
    if (tool === "box") return { what: "box" };
    if (drawableOf(tool)) return { what: "draw" };
    if (isPainting(tool)) return selected?.mask || pen?.starts ? { what: "stroke", points: [] } : { what: "move" };
    const near = selected ? handleAt(handles, camera.view, at.x, at.y, REACH) : null;
    const handle = near === null ? undefined : handles[near];
    if (selected && handle && near !== null) return { what: "handle", a: selected, handle, at: near };
    if (selected && !isFixed && canReshape(selected) && this.isOn(selected, at)) return { what: "annotation", a: selected };
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

  /** Whether a place is on an annotation, whatever else is there. */
  private isOn(a: Annotation, { x, y }: At): boolean {
    const { camera, scene } = this.around();
    const [item, place] = [scene.get(a.id), camera.toImage(x, y)];
    return item !== null && isOn(a, item.box, place.x, place.y, SLACK / camera.view.scale, true);
  }

  private hover(at: At): void {
    const { selected, handles, editable, tool, camera, pen, isFixed } = this.around();
    if (editable && drawableOf(tool)) {
      this.isFree = at.free ?? false;
      this.drawing.hover(this.place(at));
      this.show(this.drawing.draft());
      this.heard.onHover(null);
      return this.heard.onCursor("crosshair");
    }
    if (editable && isPainting(tool) && (selected?.mask || pen?.starts)) {
      const place = camera.toImage(at.x, at.y);
      this.heard.onBrush(place.x, place.y);
      this.heard.onHover(null);
      return this.heard.onCursor("crosshair");
    }
    const near = editable && selected ? handleAt(handles, camera.view, at.x, at.y, REACH) : null;
    const id = this.at(at);
    this.heard.onHover(id);
    const holds = editable && selected !== null && !isFixed && canReshape(selected) && this.isOn(selected, at);
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
