"""What a model predicts on the samples under test: read once, for all checks that hold it against the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.checks.suite.context import CheckContext
from calotype.vision import boxes

UNSCORED = 0.5
"""What counts as the score of a prediction that has none."""


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


def scores_of(table: pa.Table) -> npt.NDArray[np.float64]:
    """(N,) the column `score`, in [0, 1]."""
    scores = table["score"].fill_null(UNSCORED).to_numpy().astype(np.float64)
    return np.asarray(np.clip(scores, 0, 1), np.float64)


def corners_of(table: pa.Table) -> npt.NDArray[np.float64]:
    """(N, 4) `boxes_xyxy_px` of the columns x, y, w, h; NaN where there is no box."""
    columns = [table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in "xywh"]
    return np.asarray(boxes.xywh_to_xyxy(np.stack(columns, axis=1)), np.float64)
