import { Problem } from "@/api/client";
import type { Operation, Recorded, Row, Work } from "@/rooms/annotate/components/session/types";

const CLASSES = [
  { id: 1, name: "car", colour: "#e69f00", key: "1", definition: "", tools: [], attributes: [], keypoints: [], skeleton: [], parent: "" },
  { id: 2, name: "bus", colour: "#56b4e9", key: "2", definition: "", tools: [], attributes: [], keypoints: [], skeleton: [], parent: "" },
];
export const work = (annotations: Row[] = [], more: Partial<Work> = {}): Work => ({
  assignment: "a1", kind: "annotate", actor: "ana", state: "draft", round: 1, lease_until: "2026-01-01T00:00:00Z", active_s: 0, note: "",
  started_at: "2026-01-01T00:00:00Z", submitted_at: null, review_reason: "",
  batch: { id: "b", name: "first", dataset: "streets", label_set: "ground_truth", overlap: 1, due: null },
  guideline: { version: 1, acknowledged: true }, sample: { id: "s", name: "s.jpg", width_px: 640, height_px: 480, image: "/api/v1/assignments/a1/image" },
  classes: CLASSES, annotations, position: 0, to_undo: 0, to_redo: 0, remarks: [], others: [], ahead: [], ...more,
});

/** A server that records operations once, undoes as the contract says, and can be away. */
export class Server {
  rows = new Map<string, Row>();
  readonly seen: string[] = [];
  private readonly done: { id: string; annotation: string; before: Row | null; after: Row | null }[] = [];
  private readonly undone: typeof this.done = [];
  isAway = false;
  loseAnswers = 0;
  refuses: (operation: Operation) => string | null = () => null;
  readonly lists: number[] = [];

  readonly send = async (operations: readonly Operation[]): Promise<Recorded> => {
    if (this.isAway) throw new Problem(0, "unreachable", "cannot reach the server", "", "");
    const answer: Recorded & { recorded: string[]; repeated: string[]; refused: { id: string; code: string; what: string }[] } = {
      recorded: [], repeated: [], refused: [], annotations: [], position: 0, to_undo: 0, to_redo: 0, lease_until: "2026-01-01T00:00:00Z", state: "draft",
    };
    this.lists.push(operations.length);
    const changed = new Set<string>();
    for (const one of operations) {
      const why = this.refuses(one);
      if (this.seen.includes(one.id)) answer.repeated.push(one.id);
      else if (why) answer.refused.push({ id: one.id, code: "no", what: why });
      else {
        this.seen.push(one.id);
        answer.recorded.push(one.id);
        const touched = this.take(one);
        if (touched) changed.add(touched);
      }
    }
    const rows = [...changed].map((id) => ({ id, row: this.rows.get(id) ?? null }));
    if (this.loseAnswers > 0) {
      this.loseAnswers -= 1;
      throw new Problem(0, "unreachable", "cannot reach the server", "", "");
    }
    return { ...answer, annotations: rows, to_undo: this.done.length, to_redo: this.undone.length };
  };

  readonly reread = async (): Promise<Work> => work([...this.rows.values()], { to_undo: this.done.length, to_redo: this.undone.length });

  private put(id: string, row: Row | null): string {
    if (row) this.rows.set(id, row);
    else this.rows.delete(id);
    return id;
  }

  private take(one: Operation): string | null {
    if (one.do === "undo" || one.do === "redo") {
      const [from, to] = one.do === "undo" ? [this.done, this.undone] : [this.undone, this.done];
      const step = from.pop();
      if (!step) return null;
      to.push(step);
      return this.put(step.annotation, one.do === "undo" ? step.before : step.after);
    }
    if (one.do === "restore") return null;
    const before = this.rows.get(one.annotation) ?? null;
    const base: Row = before ?? row(one.annotation);
    const after = one.do === "delete" ? null
      : one.do === "set-class" ? { ...base, class: one.class }
        : one.do === "set-attributes" ? { ...base, attributes: { ...base.attributes, ...one.attributes } }
          : { ...base, ...(one.do === "add" ? { class: one.class } : {}), bbox: one.bbox ? ([...one.bbox] as [number, number, number, number]) : null };
    this.done.push({ id: one.id, annotation: one.annotation, before, after });
    this.undone.length = 0;
    return this.put(one.annotation, after);
  }
}

export const row = (id: string): Row => ({
  id, kind: "box", class: "car", class_id: 1, bbox: [0, 0, 5, 5], rings: [], keypoints: [], mask: null, score: null, iscrowd: false, author: "ana", text: null,
  attributes: {}, area: 25, source_id: "", origin: "drawn",
});
