import type { BlameList, SampleDetail, SimilarSamples, StagedEdits, TrackedFinding, VectorModels } from "@/api/schema.gen";
import { logged } from "@/testing/records";
import { answer } from "@/testing/server";

const DATASET = { dataset: "streets" };

type About = {
  tracked?: TrackedFinding[];
  blame?: BlameList["items"];
  models?: VectorModels["items"];
  similar?: SimilarSamples["items"];
  edits?: StagedEdits;
};

/** Answer everything that the page of a sample asks for, except for the dataset. */
export function answerSample(detail: SampleDetail, { tracked = [], blame = [], models = [], similar = [], edits = { items: [], to_undo: 0, to_redo: 0 } }: About = {}): void {
  const one = { ...DATASET, sample_id: detail.id };
  answer("get", "/api/v1/datasets/{dataset}/samples/{sample_id}", one, detail);
  answer("get", "/api/v1/datasets/{dataset}/finding-lives", DATASET, ({ query }) => {
    const items = tracked.filter((finding) => finding.sample_id === query["sample"]);
    return { total: items.length, offset: 0, items, counts: {}, precision: {} };
  });
  answer("get", "/api/v1/datasets/{dataset}/edits", DATASET, edits);
  answer("get", "/api/v1/datasets/{dataset}/log", DATASET, { items: [logged()], dirty: false, changes: null });
  const ids = Object.values(detail.label_sets).flatMap((list) => list.map((a) => a.id));
  for (const which of [detail.id, ...ids.slice(0, 50)]) {
    const items = which === detail.id ? blame : blame.filter((entry) => entry.id === which);
    answer("get", "/api/v1/datasets/{dataset}/blame/{which}", { ...DATASET, which }, { items });
  }
  answer("get", "/api/v1/datasets/{dataset}/vectors", DATASET, { items: models });
  answer("get", "/api/v1/datasets/{dataset}/similar", DATASET, { items: similar });
}

export const tracked = (change: Partial<TrackedFinding> = {}): TrackedFinding => ({
  key: "73f6c6d2", check: "label-errors", fault: "class", severity: "warning", sample_id: "01a22458", sample: "street-0001.jpg",
  annotation_id: "2425ba06", label_set: "ground_truth", reason: "labelled car, it looks like truck (score 0.99)",
  facts: { given: "car", suggested: "truck", repair: { do: "set-class", class: "truck" } }, state: "open", branch: "main", assignee: null, verdict: null,
  note: null, until: null, returns: 0, opened_at: "2026-11-28T22:49:48.114Z", changed_at: "2026-11-28T22:49:48.114Z", first_run: "r1", last_run: "r1", ...change,
});

export const origin = (change: Partial<BlameList["items"][number]["created"]> = {}): BlameList["items"][number]["created"] => ({
  commit: "12a093d52aa0", by: "ana", at: "2026-11-28T22:49:48.055Z", message: "first import", author: "ana", import: null, ontology: null, guideline: null, ...change,
});
