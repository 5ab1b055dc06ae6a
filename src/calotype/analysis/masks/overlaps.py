"""Masks of single things that a model's masks contradict: missing, of another class, of another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Region = tuple[int, int, int, int]
_SAME_THING = 0.5
"""IoU from which a labelled and a predicted mask show one thing."""
_COVERED = 0.3
"""Share of a predicted mask that labels of its class cover, up to which it counts as unlabelled; share of a mask that
has to be seen for its shape to be judged."""
_SMALLEST_PX = 16


@dataclass(frozen=True, slots=True)
class Patch:
    """A mask within its image: the place of its upper left pixel, and (h, w) bool from there on."""

    left: int
    top: int
    mask: Bools

    @property
    def right(self) -> int:
        """One beyond its last column."""
        return self.left + int(self.mask.shape[1])

    @property
    def bottom(self) -> int:
        """One beyond its last row."""
        return self.top + int(self.mask.shape[0])

    @property
    def area_px(self) -> int:
        """Pixels that are set."""
        return int(self.mask.sum())

    def of(self, whole: Bools) -> Bools:
        """The same place of an array of the image's size."""
        return whole[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True, slots=True)
class MaskDoubt:
    """One contradiction.

    Attributes:
        fault: "missing": the model sees a thing that has no mask of its class. "swapped": it sees another class there.
            "shape": it sees the thing in another outline.
        given: Place of the labelled mask; -1 for a missing one.
        seen: Place of the predicted mask; -1 for a shape, which several may contradict.
        share: Of pixels: of the predicted mask without a label (missing), in both masks (swapped, as IoU), in only one
            of the outlines beyond the rim (shape).
        lacking: Boxes x, y, w, h (px) of parts that the model sees and the label lacks, the largest first.
        extra: The same of parts that the label has and the model does not see.
    """

    fault: Literal["missing", "swapped", "shape"]
    given: int
    seen: int
    share: float
    lacking: tuple[Region, ...] = ()
    extra: tuple[Region, ...] = ()


def mask_overlaps(
    given: Sequence[Patch],
    given_classes: npt.NDArray[np.int64],
    seen: Sequence[Patch],
    seen_classes: npt.NDArray[np.int64],
    *,
    size_hw: tuple[int, int],
    judged: int | None = None,
    max_share: float = 0.3,
    rim: float = 0.05,
) -> list[MaskDoubt]:
    """Compare the masks of one image with those that a model is sure of.

    A predicted mask is one thing with one score, not a probability of each pixel, so the score of `mask_errors` does
    not fit it: a soft minimum over pixels that are either agreed or not is decided by the rim of the mask alone, where
    no two outlines agree. Here overlaps decide, and a rim is ignored. What a model misses entirely is not reported:
    models miss things far more often than people draw things that are not there. Masks of one class cover a place
    together, so a crowd that one side draws as one mask and the other as many agrees.

    Args:
        given: Labelled masks; not empty, within the image.
        given_classes: (N,) their classes.
        seen: Predicted masks; not empty, within the image.
        seen_classes: (M,) their classes.
        size_hw: Of the image.
        judged: Number of labelled masks to judge, from the first; others, such as boxes, only cover. By default all.
        max_share: Share of the pixels of both outlines that may be in one only.
        rim: Width that is ignored on both sides of an outline, in square roots of the mask's area; at least 2 px.
    """
    n_judged = len(given) if judged is None else judged
    labelled = _unions(given, given_classes, size_hw)
    predicted = _unions(seen, seen_classes, size_hw)
    shared, iou = _shared(given, seen)
    same = given_classes[:, None] == seen_classes[None]
    explained = (same & (iou >= _SAME_THING)).any(axis=0)
    doubts: list[MaskDoubt] = []
    for i in range(n_judged):
        other = np.where(same[i] | explained, 0, iou[i])
        j = int(other.argmax()) if len(seen) else 0
        if len(seen) and other[j] >= _SAME_THING and other[j] > np.where(same[i], iou[i], 0).max():
            doubts.append(MaskDoubt("swapped", i, j, float(other[j])))
            explained[j] = True
            continue
        own = [
            j
            for j in np.flatnonzero(same[i] & (shared[i] > 0)).tolist()
            if _belongs(i, j, shared, same, seen)
        ]
        doubt = _shape(i, given, [seen[j] for j in own], labelled, predicted, int(given_classes[i]), rim)
        if doubt is not None and doubt.share > max_share:
            doubts.append(doubt)
    return doubts + _missing(seen, seen_classes, labelled, explained)


def _unions(
    patches: Sequence[Patch], classes: npt.NDArray[np.int64], size_hw: tuple[int, int]
) -> dict[int, Bools]:
    """Class -> (H, W) what its masks cover together."""
    found: dict[int, Bools] = {}
    for patch, number in zip(patches, classes.tolist(), strict=True):
        part = patch.of(found.setdefault(number, np.zeros(size_hw, bool)))
        part |= patch.mask
    return found


def _shared(
    given: Sequence[Patch], seen: Sequence[Patch]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(N, M) pixels that two masks share, and their intersection over union."""
    shared = np.zeros((len(given), len(seen)))
    corners = [
        np.asarray([(p.left, p.top, p.right, p.bottom) for p in side], np.int64).reshape(-1, 4)
        for side in (given, seen)
    ]
    low = np.maximum(corners[0][:, None, :2], corners[1][None, :, :2])
    high = np.minimum(corners[0][:, None, 2:], corners[1][None, :, 2:])
    for i, j in np.argwhere((high > low).all(axis=2)).tolist():
        (left, top), (right, bottom) = low[i, j].tolist(), high[i, j].tolist()
        parts = [
            p.mask[top - p.top : bottom - p.top, left - p.left : right - p.left] for p in (given[i], seen[j])
        ]
        shared[i, j] = np.count_nonzero(parts[0] & parts[1])
    areas = [np.asarray([p.area_px for p in side], np.float64) for side in (given, seen)]
    return shared, shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1)


def _belongs(i: int, j: int, shared: npt.NDArray[np.float64], same: Bools, seen: Sequence[Patch]) -> bool:
    """Whether a predicted mask is mostly of this labelled one, among those of its class."""
    best = int(np.where(same[:, j], shared[:, j], 0).argmax())
    return best == i and shared[i, j] >= _COVERED * seen[j].area_px


def _shape(
    i: int,
    given: Sequence[Patch],
    own: Sequence[Patch],
    labelled: dict[int, Bools],
    predicted: dict[int, Bools],
    number: int,
    rim: float,
) -> MaskDoubt | None:
    """How a labelled mask differs from what the model sees of it; None where it sees too little of it."""
    labelled_patch = given[i]
    if not own:
        return None
    from scipy import ndimage  # heavy to load

    area = labelled_patch.area_px
    extra = labelled_patch.mask & ~labelled_patch.of(predicted[number])
    if extra.sum() > (1 - _COVERED) * area:
        return None
    width = max(2, round(rim * area**0.5))
    left, top = (min(getattr(p, side) for p in (labelled_patch, *own)) for side in ("left", "top"))
    right, bottom = (max(getattr(p, side) for p in (labelled_patch, *own)) for side in ("right", "bottom"))
    canvas = Patch(left, top, np.zeros((bottom - top, right - left), bool))
    mine, theirs = canvas.mask.copy(), canvas.mask.copy()
    for target, patches in ((mine, [labelled_patch]), (theirs, own)):
        for p in patches:
            part = target[p.top - top : p.bottom - top, p.left - left : p.right - left]
            part |= p.mask
    side = 2 * width + 1
    near = ndimage.maximum_filter(mine.view(np.uint8), side, mode="constant") > 0
    inner = ndimage.minimum_filter(mine.view(np.uint8), side, mode="constant") > 0
    lacking = theirs & ~canvas.of(labelled[number]) & ~near
    surplus = mine & ~canvas.of(predicted[number]) & inner
    share = float(lacking.sum() + surplus.sum()) / float((mine | theirs).sum())
    places = [_regions(part, (left, top)) for part in (lacking, surplus)]
    return MaskDoubt("shape", i, -1, share, *places)


def _regions(part: Bools, origin: tuple[int, int]) -> tuple[Region, ...]:
    from scipy import ndimage  # heavy to load

    labels, _ = ndimage.label(part)
    sizes = np.bincount(labels.ravel())[1:]
    regions = [
        (
            int(size),
            (
                columns.start + origin[0],
                rows.start + origin[1],
                columns.stop - columns.start,
                rows.stop - rows.start,
            ),
        )
        for size, (rows, columns) in zip(sizes, ndimage.find_objects(labels), strict=True)
        if size >= _SMALLEST_PX
    ]
    return tuple(place for _, place in sorted(regions, reverse=True))


def _missing(
    seen: Sequence[Patch], classes: npt.NDArray[np.int64], labelled: dict[int, Bools], explained: Bools
) -> list[MaskDoubt]:
    """Predicted masks that labels of their class hardly cover; of those that cover each other the first."""
    doubts: list[MaskDoubt] = []
    for j, patch in enumerate(seen):
        whole = labelled.get(int(classes[j]))
        area = patch.area_px
        if explained[j] or area < _SMALLEST_PX:
            continue
        free = 1.0 if whole is None else 1 - np.count_nonzero(patch.of(whole) & patch.mask) / area
        if free < 1 - _COVERED:
            continue
        again = [k.seen for k in doubts if classes[k.seen] == classes[j]]
        if again and _shared([patch], [seen[k] for k in again])[1].max() >= _SAME_THING:
            continue
        box = (patch.left, patch.top, patch.mask.shape[1], patch.mask.shape[0])
        doubts.append(MaskDoubt("missing", -1, j, free, lacking=(box,)))
    return doubts
