"""Labelled masks and polygons that a model's masks contradict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.analysis.masks.overlaps import MaskDoubt, Patch, mask_overlaps
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Rows, Tally
from calotype.checks.suite.predictions import label_set_of, predictions
from calotype.datasets.annotation_columns import scores_of
from calotype.datasets.streaming import annotations_at
from calotype.vision.shape_patches import patch_of

_COLUMNS = ("kind", "class_id", "x", "y", "w", "h", "rings", "mask_rle", "mask_h", "mask_w", "iscrowd")
_SHAPES = ("mask", "polygon")
_MAX_REGIONS = 20
_ROWS_AT_ONCE = 4_000
"""Maximum number of annotations whose shapes are in memory at once; all of one sample count as one batch."""
_LONGEST_PX = 512
_MANY_SHAPES = 150
"""Number of shapes of a sample above which it is drawn at half the size."""
_MAX_SHAPES = 1_000
"""Maximum number of shapes of a sample that are drawn of each side."""


@dataclass(frozen=True, slots=True)
class _Side:
    """Annotations of one label set that are drawn, in the order of samples: their places in the table, and samples."""

    label_set: str
    rows: Rows
    of: Rows
    scores: npt.NDArray[np.float64]


def mask_errors(context: CheckContext, tally: Tally) -> None:
    """Masks and polygons against a model's: missing, of another class, of another shape."""
    seen = _predicted(context, tally.number("min_score"))
    if seen is None:
        return
    labelled = _labelled(context, seen)
    missing: dict[str, dict[int, list[Description]]] = {}
    annotations: dict[str, dict[int, Description]] = {"swapped": {}, "shape": {}}
    for sample, ours, theirs in _by_sample(context, labelled, seen):
        tally.looked_at += sum(_is_judged(values) for _, values, _ in ours)
        for fault, row, description in _judged(context, tally, sample, ours, theirs):
            if fault == "missing":
                missing.setdefault(description[1]["class"], {}).setdefault(row, []).append(description)
            else:
                annotations[fault][row] = description
    for fault, of_row in annotations.items():
        tally.annotations(sorted(of_row), of_row.__getitem__, fault=fault)
    for name in sorted(missing):
        of_sample = {row: _together(parts) for row, parts in missing[name].items()}
        tally.samples(sorted(of_sample), of_sample.__getitem__, fault="missing", about=name)


def _is_judged(values: Mapping[str, Any]) -> bool:
    """Shapes of single things; boxes and crowds only cover a place."""
    return values["kind"] in _SHAPES and not values["iscrowd"]


def _together(parts: Sequence[Description]) -> Description:
    """All missing masks of one class on a sample."""
    if len(parts) == 1:
        return parts[0]
    best = max((facts for _, facts in parts), key=lambda facts: float(facts["score"]))
    regions = [region for _, facts in parts for region in facts["regions"]]
    reason = f"the model sees {len(parts)} of {best['class']} that have no mask"
    return reason, {**best, "regions": regions[:_MAX_REGIONS]}


def _predicted(context: CheckContext, least: float) -> _Side | None:
    """Predicted masks and polygons that the model is sure of; None without any."""
    table = predictions(context, ["sample_id", "kind", "score"])
    if table is None:
        return None
    shapes = pc.is_in(table["kind"], value_set=pa.array(_SHAPES)).to_numpy()
    if not shapes.any():
        return None
    of, scores = context.rows_of(table["sample_id"]), scores_of(table)
    rows = np.flatnonzero(shapes & (of >= 0) & (scores >= least))
    rows = rows[np.lexsort((-scores[rows], of[rows]))]
    return _Side(label_set_of(context), rows, of[rows], scores[rows]) if len(rows) else None


def _labelled(context: CheckContext, seen: _Side) -> _Side:
    """What is labelled on the samples that have such predictions and a labelled shape."""
    shape = context.are_kinds(*_SHAPES)
    with np.errstate(invalid="ignore"):
        box = ~shape & context.covers & (context.boxes_xywh_px[:, 2:] > 0).all(axis=1)
    asked = np.zeros(context.n_samples + 1, bool)
    asked[seen.of] = True
    of = context.sample_of
    has_shape = np.zeros(context.n_samples + 1, bool)
    has_shape[of[shape & (of >= 0)]] = True
    rows = np.flatnonzero((shape | box) & (of >= 0) & asked[of] & has_shape[of])
    rows = rows[np.argsort(of[rows], kind="stable")]
    return _Side(context.label_set, rows, of[rows], np.zeros(len(rows)))


Shape = tuple[int, dict[str, Any], float]
"""Row, values and score of an annotation."""


def _by_sample(
    context: CheckContext, given: _Side, seen: _Side
) -> Iterator[tuple[int, list[Shape], list[Shape]]]:
    """Each sample with labelled and predicted shapes, and these; the shapes of some samples are read at once."""
    samples, n = np.unique(given.of, return_counts=True)
    total = n + np.searchsorted(seen.of, samples, side="right") - np.searchsorted(seen.of, samples)
    tables = [_whole_table(context, side) for side in (given, seen)]
    rounds = np.split(samples, np.flatnonzero(np.diff(np.cumsum(total) // _ROWS_AT_ONCE)) + 1)
    for some in rounds:
        ours, theirs = (
            _read(context, side, table, some) for side, table in zip((given, seen), tables, strict=True)
        )
        for sample in some.tolist():
            yield sample, ours.get(sample, []), theirs.get(sample, [])


def _whole_table(context: CheckContext, side: _Side) -> pa.Table | None:
    """All shapes of a side, where only a few samples are looked at."""
    if context.sample_ids is None:
        return None
    ids = context.sample_ids
    return context.snapshot.annotations(side.label_set, sample_ids=ids, columns=_COLUMNS).combine_chunks()


def _read(
    context: CheckContext, side: _Side, table: pa.Table | None, samples: Rows
) -> dict[int, list[Shape]]:
    """Sample -> its shapes of a side."""
    chosen = np.flatnonzero(np.isin(side.of, samples))
    rows = side.rows[chosen].tolist()
    if table is None:
        values = annotations_at(context.store, context.snapshot, side.label_set, rows, _COLUMNS).to_pylist()
    else:
        values = table.take(pa.array(rows, pa.int64())).to_pylist()
    shapes_of: dict[int, list[Shape]] = {}
    for sample, *shape in zip(
        side.of[chosen].tolist(), rows, values, side.scores[chosen].tolist(), strict=True
    ):
        of_sample = shapes_of.setdefault(sample, [])
        if len(of_sample) < _MAX_SHAPES:
            of_sample.append((shape[0], shape[1], shape[2]))
    return shapes_of


def _judged(
    context: CheckContext, tally: Tally, sample: int, ours: list[Shape], theirs: list[Shape]
) -> Iterator[tuple[str, int, Description]]:
    """Fault, row of the annotation (or sample) and description of each contradiction on one sample."""
    image_wh = (int(context.column("width_px")[sample]), int(context.column("height_px")[sample]))
    longest = _LONGEST_PX if len(ours) + len(theirs) <= _MANY_SHAPES else _LONGEST_PX // 2
    factor = min(1.0, longest / max(image_wh))
    size_hw = (max(1, round(image_wh[1] * factor)), max(1, round(image_wh[0] * factor)))
    ours = sorted(ours, key=lambda shape: not _is_judged(shape[1]))
    given, shown = _patches(ours, image_wh, size_hw)
    seen, predicted = _patches(theirs, image_wh, size_hw)
    doubts = mask_overlaps(
        given,
        np.asarray([values["class_id"] for _, values, _ in shown], np.int64),
        seen,
        np.asarray([values["class_id"] for _, values, _ in predicted], np.int64),
        size_hw=size_hw,
        judged=sum(_is_judged(values) for _, values, _ in shown),
        max_share=tally.number("max_share"),
    )
    scale = (image_wh[0] / size_hw[1], image_wh[1] / size_hw[0])
    for doubt in doubts:
        label = shown[doubt.given] if doubt.given >= 0 else None
        prediction = predicted[doubt.seen] if doubt.seen >= 0 else None
        yield (
            doubt.fault,
            sample if label is None else label[0],
            _described(context, doubt, label, prediction, scale),
        )


def _patches(
    shapes: list[Shape], image_wh: tuple[int, int], size_hw: tuple[int, int]
) -> tuple[list[Patch], list[Shape]]:
    """The shapes that can be drawn, and what they are."""
    drawn = [(patch_of(values, image_wh, size_hw), (row, values, score)) for row, values, score in shapes]
    kept = [(Patch(*patch), shape) for patch, shape in drawn if patch is not None]
    return [patch for patch, _ in kept], [shape for _, shape in kept]


def _described(
    context: CheckContext,
    doubt: MaskDoubt,
    label: Shape | None,
    seen: Shape | None,
    scale: tuple[float, float],
) -> Description:
    lacking, extra = (
        [[round(v * scale[k % 2], 1) for k, v in enumerate(box)] for box in side[:_MAX_REGIONS]]
        for side in (doubt.lacking, doubt.extra)
    )
    facts: dict[str, Any] = {"share": round(doubt.share, 4)}
    given = context.class_name(label[1]["class_id"]) if label is not None else ""
    name = context.class_name(seen[1]["class_id"]) if seen is not None else given
    if seen is not None:
        facts.update({"class": name, "score": round(seen[2], 4)})
    if not given:
        return f"the model sees a {name} that has no mask", {**facts, "regions": lacking}
    if doubt.fault == "swapped":
        facts.update(given=given, suggested=name, repair={"do": "set-class", "class": name})
        return (f"labelled {given}, the model sees {name} in this outline (overlap {doubt.share:.2f})", facts)
    facts.update({"class": given, "regions": lacking, "regions_unseen": extra})
    more = sum(w * h for *_, w, h in doubt.lacking) > sum(w * h for *_, w, h in doubt.extra)
    seen_part = "more than this outline" if more else "only a part"
    return f"the model sees {seen_part} of {given}: {doubt.share:.0%} of both differ", facts


CHECKS = (
    Check(
        name="mask-errors",
        title="Masks that a model contradicts",
        means=(
            "By a model's masks a thing has no mask, is of another class, or has another outline. A narrow "
            "rim is ignored, and so is what the model does not see."
        ),
        fix="look at the regions; draw the outline again, or use the suggested class",
        unit="masks and polygons",
        severity="warning",
        family="labels",
        scope="sample",
        cost="predictions",
        run=mask_errors,
        parameters={"min_score": 0.5, "max_share": 0.3},
        source=(
            "intersection over union with the predicted masks, rim of 5% of the root of the area; set on "
            "perturbed outlines of photographs"
        ),
        example="the model sees more than this outline of dog: 41% of both differ",
    ),
)
