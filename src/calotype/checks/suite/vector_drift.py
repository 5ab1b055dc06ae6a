"""Images that look different from those of the contract's reference: all together, and single ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.drift import novel, vector_shift
from calotype.analysis.grouping import ranked
from calotype.checks.suite.check import Check
from calotype.checks.suite.conditions import reference_of
from calotype.checks.suite.context import CheckContext, Description, Rows, Tally
from calotype.checks.suite.vectors import Vectors, model_of, vectors_of


def vector_drift(context: CheckContext, tally: Tally) -> None:
    """Whether a classifier separates the images from those of the reference, and which new ones are novel."""
    before = reference_of(context)
    if before is None or not _is_usable(context.n_samples, tally):
        return
    then = replace(context, snapshot=before, sample_ids=None, worked_out={}, _measured={}, _columns={})
    if not _is_usable(then.n_samples, tally):
        return
    model = model_of(context)
    rows, vectors = _whole_images(context, model)
    rows_then, vectors_then = _whole_images(then, model)
    if min(len(rows), len(rows_then)) < tally.number("min_samples"):
        return
    tally.looked_at = len(rows)
    shas = context.column("media_sha256")[rows].astype(str)
    shas_then = then.column("media_sha256")[rows_then].astype(str)
    _, images = np.unique(np.concatenate([shas, shas_then]), return_inverse=True)
    shift = vector_shift(
        vectors, vectors_then, images=images[: len(rows)], reference_images=images[len(rows) :]
    )
    figures = {
        "auroc": round(shift.auroc, 4),
        "p_value": round(shift.p_value, 4),
        "n_reference": len(rows_then),
    }
    tally.reference.update(figures, model=model)
    if shift.auroc >= tally.number("min_auroc") and shift.p_value <= tally.number("max_p"):
        separated = f"a classifier separates them with AUROC {shift.auroc:.2f}"
        reason = f"the images look different from the reference: {separated}"
        tally.dataset(reason, {**figures, "model": model}, fault="drift")
    new = np.flatnonzero(~np.isin(shas, shas_then))
    _add_novel(tally, rows[new], vectors[new], vectors_then)


def _is_usable(n_samples: int, tally: Tally) -> bool:
    """Whether there are enough samples for a judgement, and not too many to be embedded."""
    return tally.number("min_samples") <= n_samples <= tally.number("max_samples")


def _whole_images(context: CheckContext, model: str) -> tuple[Rows, Vectors]:
    """Rows of samples whose image can be read, and the vectors of the whole images."""
    vectors, available = vectors_of(context, [(row, None) for row in range(context.n_samples)], model=model)
    rows: Rows = np.flatnonzero(available)
    return rows, vectors[rows]


def _add_novel(tally: Tally, rows: npt.NDArray[Any], vectors: Vectors, reference: Vectors) -> None:
    if not len(rows):
        return
    novelty = novel(vectors, reference, share=min(1.0, tally.number("max_share")))

    def describe(k: int) -> Description:
        score = float(novelty.score[k])
        facts = {"distance": round(score, 3), "limit": round(novelty.limit, 3)}
        return f"the image is unlike those of the reference ({score:.1f} times the usual distance)", facts

    tally.samples(*ranked(rows, novelty.score, novelty.flagged, describe), severity="info", fault="novel")


CHECKS = (
    Check(
        name="vector-drift",
        title="Images unlike the reference",
        means=(
            "By their vectors the images are distributed as in the reference that the contract names, "
            "and no new image is farther from it than its own images are from each other."
        ),
        fix=(
            "see what changed at the source; collect more like the novel images where they belong, else "
            "remove them"
        ),
        unit="samples",
        severity="warning",
        family="drift",
        cost="vectors",
        run=vector_drift,
        parameters={
            "min_auroc": 0.6,
            "max_p": 0.01,
            "max_share": 0.01,
            "min_samples": 50,
            "max_samples": 200_000,
        },
        source=(
            "classifier two-sample test, D. Lopez-Paz and M. Oquab, 2017; distance to the 3rd neighbour, "
            "S. Ramaswamy et al., 2000, beyond which `max_share` of the reference's own images lie"
        ),
        example="the images look different from the reference: a classifier separates them with AUROC 0.83",
        steady=False,
    ),
)
