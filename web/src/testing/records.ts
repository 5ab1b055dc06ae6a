import type {
  Annotation, Card, CheckResults, CheckSummary, Commit, DatasetRow, Facets, FindingPage, FullAnnotation, GateResult, GridObject, GridSample, ListedFinding,
  LoggedCommit, Merge, MergeConflict, Overview, Release, ReleaseRow, Run, SampleDetail, SavedView,
} from "@/api/schema.gen";

/** Answers of a server, recorded from the demo and shortened; `change` overrides fields. */
const SHA = "12a093d52aa0dcf01c196e01047762cac1ba9319c143b2e2c4a51d149aa6952a";
const MEDIA = "b97edac1ee1374098c5629db5cb4100d6e9c1e7983c0927170af1008b811ff45";

export const commit = (change: Partial<Commit> = {}): Commit => ({
  id: SHA, parents: [], author: "ana", message: "first import", at: "2026-11-28T22:49:48.055Z",
  stats: { samples: 305, annotations: 5165, label_sets: { ground_truth: 5165 } }, ...change,
});

export const logged = (change: Partial<LoggedCommit> = {}): LoggedCommit => ({ ...commit(), refs: [], ...change });

export const datasetRow = (change: Partial<DatasetRow> = {}): DatasetRow => ({
  name: "streets", description: "what moves on the street", samples: 305, annotations: 5165, classes: 8, label_sets: ["ground_truth"],
  head: commit(), dirty: false, cover: [MEDIA], releases: ["1.0.0"], gates: { green: 12, red: 0, missing: 0 },
  open: { error: 0, warning: 271, info: 64 }, ...change,
});

export const overview = (change: Partial<Overview> = {}): Overview => ({
  name: "streets", description: "", ref: "main", commit: SHA, dirty: false, contract: null, samples: 305, annotations: 5165, unlabelled: 4, approximate: false,
  derived: 0, label_sets: [{ name: "ground_truth", annotations: 5165, kinds: { polygon: 5165 } }],
  classes: [
    { id: 1, name: "car", supercategory: "vehicle", keypoints: [], skeleton: [], annotations: 1943, samples: 300 },
    { id: 2, name: "truck", supercategory: "vehicle", keypoints: [], skeleton: [], annotations: 402, samples: 239 },
  ],
  splits: [{ name: "train", samples: 255, annotations: 4369 }, { name: "val", samples: 50, annotations: 796 }],
  licences: [{ value: "CC0-1.0", count: 301 }, { value: "", count: 4 }], sources: [{ value: "rendered", count: 305 }], tags: [],
  fields: [
    {
      name: "light", type: "str", distinct: 2, missing: 0, histogram: null,
      top: [{ value: "day", count: 200 }, { value: "night", count: 105 }],
    },
  ],
  sizes: { min: [960, 600], median: [960, 600], max: [960, 600] }, ...change,
});

export const savedView = (change: Partial<SavedView> = {}): SavedView => ({
  name: "night", where: 'light = "night"', sort: "-annotations", label_set: "ground_truth", ref: "", within: "", size_px: 320, hidden: [2], show: "samples", of_class: "", colour: "", beside: "", against: "", created_by: "ana",
  created_at: "2026-11-28T22:49:48.055Z", changed_by: "ana", changed_at: "2026-11-28T22:49:48.055Z", ...change,
});

export const annotation = (change: Partial<Annotation> = {}): Annotation => ({
  id: "2425ba06", kind: "box", class: "car", class_id: 1, bbox: [138.5, 350.5, 180, 120], rings: [], keypoints: [], mask: null, score: null,
  iscrowd: false, author: "ana", text: null, ...change,
});

export const gridSample = (change: Partial<GridSample> = {}): GridSample => ({
  id: "01a22458", name: "street-0001.jpg", media: MEDIA, width: 960, height: 600, split: "train", group: "", tags: [], parent: null,
  annotations: [annotation()], flagged: [], findings: 0, ...change,
});

export const gridObject = (change: Partial<GridObject> = {}): GridObject => {
  const { findings: _findings, annotations: _annotations, flagged: _flagged, ...sample } = gridSample();
  return { ...annotation(), flagged: false, sample, ...change };
};

export const fullAnnotation = (change: Partial<FullAnnotation> = {}): FullAnnotation => ({
  ...annotation(), attributes: { occluded: 0 }, author: "ana", area: 21_600, source_id: "20", ...change,
});

export const sampleDetail = (change: Partial<SampleDetail> = {}): SampleDetail => ({
  id: "01a22458", name: "street-0001.jpg", media: MEDIA, width: 960, height: 600, split: "train", group: "", tags: [], parent: null,
  commit: SHA, mime: "image/jpeg", bytes: 135_108, source: "rendered", licence: "CC0-1.0", metadata: { light: "night" },
  names: ["street-0001.jpg"], recipe: "", created_at: "2026-11-28T22:48:44.004Z", children: [], findings: [],
  label_sets: { ground_truth: [fullAnnotation(), fullAnnotation({ id: "2e6d37dc", class: "truck", class_id: 2 })] },
  position: { index: 0, total: 2, previous: null, next: "c6201fd0" }, ...change,
});

export const gate = (change: Partial<GateResult> = {}): GateResult => ({
  name: "readable", check: "readable", state: "green", measured: 0, threshold: 0, unit: "findings", detail: "0 findings, 0 allowed", fix: "",
  findings: 0, samples: [], excused: 0, on: ["merge", "release"], ...change,
});

export const checkSummary = (change: Partial<CheckSummary> = {}): CheckSummary => ({
  name: "exact-duplicates", title: "Exact duplicates", means: "Two samples have the same bytes.", fix: "remove one of them", unit: "samples",
  enabled: true, looked_at: 305, kept: 1, took_ms: 12, family: "duplicates", version: 1, measured_again: null, counts: { warning: 1 },
  findings: 1, parameters: {}, reference: {}, ...change,
});

export const checkResults = (change: Partial<CheckResults> = {}): CheckResults => ({
  run: {
    id: "01a22459", at: "2026-11-28T22:49:48.114Z", actor: "ana", duration_s: 1.2, commit: SHA, contract: SHA, red: false,
    counts: { error: 0, warning: 1, info: 0 }, open: { error: 0, warning: 1, info: 0 },
  },
  stale: false, gates: [gate()], objectives: [], checks: [checkSummary()], ...change,
});

export const neverChecked: CheckResults = { run: null, stale: false, gates: [], objectives: [], checks: [] };

export const finding = (change: Partial<ListedFinding> = {}): ListedFinding => ({
  position: 0, key: "73f6c6d2", state: "open", assignee: null, note: null, repair: true, check: "exact-duplicates", severity: "warning",
  sample: { id: "01a22458", name: "street-0241.jpg", media: MEDIA, width: 960, height: 600 }, sample_name: "street-0241.jpg",
  annotation: null, label_set: null, reason: "the image has the same bytes as street-0179.jpg", facts: { count: 2 },
  fault: "bytes", class: null, box: null, until: null, ...change,
});

export const findingPage = (...items: ListedFinding[]): FindingPage => ({ total: items.length, offset: 0, as_of: 7, items });

export const merge = (change: Partial<Merge> = {}): Merge => ({
  merge: "m1", source: "ben", into: "main", state: "open", base: SHA, source_commit: SHA, target_commit: SHA, commit: null,
  counts: { samples: { put: 0, removed: 0 }, annotations: { put: 2, removed: 0 }, conflicts: 1, open: 1 }, by: "ana",
  at: "2026-11-28T22:49:48.055Z", ...change,
});

const row = { ann_id: "a", kind: "box", class_id: 1, x: 10, y: 20, w: 22, h: 40, rings: null, keypoints: null, mask_rle: "", score: null };

export const conflict = (change: Partial<MergeConflict> = {}): MergeConflict => ({
  position: 1, kind: "fields", table: "ann/ground_truth", id: "a", sample_id: "01a22458", fields: ["geometry"], base: { ...row, w: 20 },
  ours: row, theirs: { ...row, w: 26 }, state: "open", resolution: null, resolved_by: null, ...change,
});

export const releaseRow = (change: Partial<ReleaseRow> = {}): ReleaseRow => ({
  version: "1.0.0", commit: SHA, at: "2026-11-28T22:49:48.172Z", actor: "ana", purpose: null, warnings: [], samples: 305, annotations: 5165,
  splits: { train: 255, val: 50 }, gates: { green: 12, red: 0 }, ...change,
});

const card: Card = {
  dataset: "streets", description: "", version: "1.0.0", commit: SHA, date: "2026-11-28T22:49:48.055Z", author: "ana", contract: "street-users",
  intent: "Detect what moves on the street", owner: "demo", purpose: "", purposes: [], warnings: ["no purpose is set"],
  privacy: { level: "internal", contains: [], retention_days: 30 }, label_set: "ground_truth", samples: 305, derived: 0, annotations: 5165,
  kinds: [{ value: "polygon", count: 5165 }], splits: [{ name: "train", samples: 255, annotations: 4369 }],
  split_by: { fractions: null, by: "scene", seed: 0 }, pool: { where: "", selected: null },
  classes: [{ id: 1, name: "car", annotations: 1943, samples: 300, by_split: { train: 1943 } }], sizes: { min: [960, 600], max: [960, 600] },
  conditions: [], licences: [{ value: "", count: 4 }], sources: [{ value: "rendered", count: 305 }], recipes: [],
  gates: [{ name: "readable", state: "green", measured: 0, threshold: 0, unit: "findings", detail: "0 findings, 0 allowed" }],
  findings: { "exact-duplicates": 2 }, objectives: [], standing: {},
  exports: [{ format: "voc", samples: 305, annotations: 5165, losses: [{ what: "polygons", count: 3686, examples: ["street-0001.jpg"] }] }],
  markdown: "# streets 1.0.0",
};

export const release = (change: Partial<Release> = {}): Release => ({
  ...releaseRow(), card, files: [{ path: "coco/instances.json", bytes: 1_234_567, sha256: MEDIA }], ...change,
});

export const run = (change: Partial<Run> = {}): Run => ({
  id: "01a22458aeb37eb6", dataset: "streets", pipeline: "streets", state: "done", at: "2026-11-28T22:48:41.410Z", duration_s: 67.6, actor: "ana",
  changed: true, error: null,
  stages: [
    { name: "1 annotate", kind: "annotate", state: "done", inputs: { files: 256 }, outputs: { annotations: 4302 }, duration_s: 4.1 },
  ],
  ...change,
});

export function facets(change: Partial<Facets> = {}): Facets {
  const { label_sets, classes, splits, licences, sources, tags, fields, sizes } = overview();
  return {
    commit: null, approximate: false, samples: 150, annotations: 2582, unlabelled: 0, derived: 0, label_sets, licences, sources, tags, fields, sizes,
    classes: classes.map((one) => ({ ...one, annotations: one.annotations - 900, samples: 150 })).filter((one) => one.annotations > 0), splits: splits.slice(0, 1), ...change,
  };
}
