"""What a model predicts on the samples under test: read once, for all checks that compare it with the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.analysis.temperature import spread_scores
from calotype.checks.suite.context import CheckContext
from calotype.datasets.annotation_columns import KINDS, scores_of

_MIN_SHARE_SEEN = 0.5
"""Share of labels that need a predicted class; below it the model was not meant for them."""


def label_set_of(context: CheckContext) -> str:
    """The label set that the contract names, or the only one of a model; empty where there is none to use."""
    models = [name for name in context.snapshot.label_sets if name.startswith("model:")]
    name = context.contract.predictions or (models[0] if len(models) == 1 else "")
    return name if name in context.snapshot.label_sets and name != context.label_set else ""


def predictions(context: CheckContext, columns: Sequence[str]) -> pa.Table | None:
    """Columns of the predictions on the context's samples; None where there are none."""
    name = label_set_of(context)
    if not name:
        return None
    table = context.snapshot.annotations(name, sample_ids=context.sample_ids, columns=columns)
    return table.combine_chunks() if table.num_rows else None


@dataclass(frozen=True, slots=True)
class ClassProbabilities:
    """What a model makes of N labels of whole images: `probs` (N, K) of `classes` (K,), where `available` (N,)."""

    name: str
    classes: npt.NDArray[np.int64]
    probs: npt.NDArray[np.float32]
    available: npt.NDArray[np.bool_]


def class_probabilities(context: CheckContext, rows: npt.NDArray[np.int64]) -> ClassProbabilities | None:
    """A model's probability of each class, for labels of whole images, one per image; None where it has none for them.

    Only a model that the contract names is asked: whether it learned these very labels cannot be seen here.
    What its scores leave of 1 is shared by the classes that it does not name.
    """
    kinds = context.kinds[rows] == KINDS.index("classification")
    samples = context.sample_of[rows]
    columns = ["sample_id", "kind", "class_id", "score"]
    table = predictions(context, columns) if context.contract.predictions else None
    if table is None or not kinds.all() or len(np.unique(samples)) < len(samples):
        return None
    table = table.filter(pc.equal(table["kind"], "classification"))
    place = np.full(context.n_samples + 1, -1)  # the last is for predictions on other samples, row -1
    place[samples] = np.arange(len(rows))
    labels, predicted = place[context.rows_of(table["sample_id"])], table["class_id"].to_numpy()
    classes = np.union1d(predicted, context.annotation_column("class_id")[rows]).astype(np.int64)
    known = labels >= 0
    positions = np.searchsorted(classes, predicted[known])
    probs, available = spread_scores(
        labels[known], positions, scores_of(table)[known], shape=(len(rows), len(classes))
    )
    if available.mean() < _MIN_SHARE_SEEN:
        return None
    return ClassProbabilities(context.contract.predictions, classes, probs, available)
