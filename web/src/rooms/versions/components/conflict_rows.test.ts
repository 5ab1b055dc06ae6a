import { describe, expect, it } from "vitest";
import type { MergeConflict } from "@/api/schema.gen";
import { annotationOf, boxOfSides, valueOf } from "./conflict_rows";

const row = { ann_id: "a", kind: "box", class_id: 2, x: 10, y: 20, w: 30, h: 40, rings: null, keypoints: null, mask_rle: "", score: null, attributes: '{"lit":true}' };
const conflict: MergeConflict = {
  position: 1, kind: "fields", table: "ann/ground_truth", id: "a", sample_id: "s", fields: ["geometry"],
  base: row, ours: { ...row, x: 0 }, theirs: null, state: "open", resolution: null, resolved_by: null,
};

describe("rows of a conflict", () => {
  it("are drawn as annotations", () => {
    expect(annotationOf(row)).toMatchObject({ id: "a", class_id: 2, bbox: [10, 20, 30, 40], mask: null });
    expect(annotationOf(null)).toBeNull();
  });
  it("are shown in one place", () => expect(boxOfSides(conflict)).toEqual({ x: 0, y: 20, w: 40, h: 40 }));
  it("say what a side has in a field", () => {
    expect(valueOf(row, "geometry")).toBe("10.0  20.0  30.0  40.0");
    expect(valueOf(null, "score")).toBe("removed");
    expect(valueOf(row, "score")).toBe("none");
    expect(valueOf(row, "attributes.lit")).toMatch(/true|yes/);
    expect(valueOf(row, "attributes.wet")).toBe("none");
  });
});
