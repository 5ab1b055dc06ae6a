import type { Work } from "@/api/schema.gen";

/** An assignment with one box, as the server answers it. */
export function workRecord(more: Partial<Work> = {}): Work {
  return {
    assignment: "a1", kind: "annotate", actor: "ana", state: "draft", round: 1, lease_until: "2026-01-01T00:00:00Z", active_s: 0, note: "", started_at: "2026-01-01T00:00:00Z", submitted_at: null,
    batch: { id: "b1", name: "first", dataset: "streets", label_set: "ground_truth", overlap: 1, due: null }, guideline: { version: 0, acknowledged: true },
    sample: { id: "s1", name: "street-0001.jpg", width_px: 640, height_px: 480, image: "/api/v1/assignments/a1/image" }, review_reason: "",
    classes: [
      {
        id: 1, name: "car", colour: "", key: "1", definition: "Four wheels or more.", tools: [], keypoints: [], skeleton: [], parent: "",
        attributes: [{ name: "view", type: "choice", required: true, default: null, choices: ["front", "rear"] }],
      },
      { id: 2, name: "truck", colour: "", key: "2", definition: "", tools: [], attributes: [], keypoints: [], skeleton: [], parent: "" },
    ],
    annotations: [{
      id: "x1", kind: "box", class: "car", class_id: 1, bbox: [10, 10, 50, 40], rings: [], keypoints: [], mask: null, score: null, iscrowd: false, author: "ana", text: null, attributes: {}, area: 2000,
      source_id: "", origin: "drawn",
    }],
    position: 1, to_undo: 0, to_redo: 0, remarks: [], others: [], ahead: [], ...more,
  };
}
