"""Segmentation masks that are likely wrong, judged by a model's probabilities of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import refuse

_TEMPERATURE = 0.1
_REGION = 0.5
_SMALLEST_PX = 16


@dataclass(frozen=True, slots=True)
class MaskErrors:
    """The judgement of N masks; scores are in [0, 1], higher is more suspect.

    Attributes:
        score: (N,) of the image: its most doubtful pixels count most.
        wrong_share: (N,) expected share of pixels with a wrong class.
        regions: For each image boxes x, y, w, h (px) of connected places that the model sees as one other class, the
            largest first, with that class.
    """

    score: npt.NDArray[np.float64]
    wrong_share: npt.NDArray[np.float64]
    regions: tuple[tuple[tuple[tuple[int, int, int, int], int], ...], ...]


def mask_errors(masks: Sequence[npt.ArrayLike], pred_probs: Sequence[npt.ArrayLike]) -> MaskErrors:
    """Judge masks by out-of-sample probabilities.

    Args:
        masks: N arrays (H, W) of class numbers, 0 to K - 1; 255 is ignored.
        pred_probs: N arrays (K, H, W) of probabilities.
    Raises: InputsInvalid.
    Source: the soft minimum over pixels of V. Lad and J. Mueller, "Estimating label quality and errors in semantic
        segmentation data via any model", 2023.
    """
    if len(masks) != len(pred_probs):
        raise refuse(
            "pred_probs", f"there are {len(pred_probs)} for {len(masks)} masks", "give one array per image"
        )
    scores: list[float] = []
    shares: list[float] = []
    regions: list[tuple[tuple[tuple[int, int, int, int], int], ...]] = []
    for number, (mask, probs) in enumerate(zip(masks, pred_probs, strict=True)):
        given, seen = _checked(np.asarray(mask), np.asarray(probs, np.float32), number)
        counted = given != 255
        own = np.take_along_axis(seen, np.where(counted, given, 0)[None].astype(np.int64), 0)[0][counted]
        if not own.size:
            scores.append(0.0)
            shares.append(0.0)
            regions.append(())
            continue
        weights = np.exp((own.min() - own) / _TEMPERATURE)
        scores.append(1 - float((own * weights).sum() / weights.sum()))
        shares.append(float(1 - own.mean()))
        regions.append(_regions(given, seen, counted))
    return MaskErrors(np.asarray(scores), np.asarray(shares), tuple(regions))


def _checked(
    mask: npt.NDArray[np.integer], probs: npt.NDArray[np.float32], number: int
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.float32]]:
    if mask.dtype.kind in "bf" and np.isin(mask, (0, 1)).all():
        mask = mask.astype(np.uint8)
    if mask.ndim != 2 or mask.dtype.kind not in "iu" or probs.ndim != 3 or probs.shape[1:] != mask.shape:
        detail = (
            f"mask {number} has shape {mask.shape} and type {mask.dtype}, its probabilities {probs.shape}"
        )
        raise refuse("masks", detail, "give (H, W) whole numbers and (K, H, W) probabilities")
    used = mask[mask != 255]
    if used.size and (int(used.min()) < 0 or int(used.max()) >= len(probs)):
        raise refuse(
            "masks",
            f"mask {number} holds class {int(used.max())} of {len(probs)}",
            "number classes 0 to K - 1",
        )
    if not np.isfinite(probs).all():
        raise refuse("pred_probs", f"those of image {number} hold NaN or infinity", "leave the image out")
    return mask, probs


def _regions(
    given: npt.NDArray[np.integer], seen: npt.NDArray[np.float32], counted: npt.NDArray[np.bool_]
) -> tuple[tuple[tuple[int, int, int, int], int], ...]:
    from scipy import ndimage  # heavy to load

    best = seen.argmax(axis=0)
    doubtful = counted & (best != given) & (seen.max(axis=0) > _REGION)
    regions = []
    for number in np.unique(best[doubtful]).tolist():
        labelled, n = ndimage.label(doubtful & (best == number))
        sizes = np.bincount(labelled.ravel())[1:]
        for k, place in enumerate(ndimage.find_objects(labelled)[:n]):
            if sizes[k] >= _SMALLEST_PX:
                rows, columns = place
                box = (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
                regions.append((int(sizes[k]), box, int(number)))
    return tuple((box, number) for _, box, number in sorted(regions, reverse=True))
