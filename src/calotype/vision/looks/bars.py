"""Bars across an image, such as a caption or a blackened strip: rows of a look in one flat colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.vision.looks.look import CHROMA, SIDE, Looks

Masks = npt.NDArray[np.bool_]

_FLAT = 5
"""Grey levels in which the cells of a bar lie; JPEG changes less."""
_SAME = 3
_FLAT_CELLS = 20
"""Cells of a row that have to be that flat; the others may be text."""
_FEWEST_ROWS, _MOST_ROWS = 3, 14
_STEP = 12
_STEP_SHARE = 0.4
"""Share of columns whose light changes by more than that many grey levels beside the bar."""


def rows_of_bars(looks: Looks) -> Masks:
    """(N, 48) bool: the rows of each look that a bar covers, and one more at each side, which it covers in part.

    A bar spans the whole width, is 6 to 30 % of the height high, and is opaque. Its colour does not matter; text may
    cover two fifths of it. Natural rows that are as flat and end as abruptly count too.
    """
    luma = looks[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE).astype(np.int16)
    flat, middle = _flat_rows(luma)
    covered = np.zeros(flat.shape, bool)
    for number in np.flatnonzero(flat.sum(axis=1) >= _FEWEST_ROWS).tolist():
        for top, bottom in _runs(flat[number], middle[number]):
            if _FEWEST_ROWS <= bottom - top <= _MOST_ROWS and _ends_abruptly(luma[number], top, bottom):
                covered[number, max(0, top - 1) : bottom + 1] = True
    return covered


def _flat_rows(luma: npt.NDArray[np.int16]) -> tuple[Masks, npt.NDArray[np.int16]]:
    """(N, 48) whether enough cells of a row are alike, and the value that most of them have."""
    ordered = np.sort(luma, axis=2)
    spread = ordered[:, :, _FLAT_CELLS - 1 :] - ordered[:, :, : 1 - _FLAT_CELLS]
    start = spread.argmin(axis=2)[:, :, None]
    middle = np.take_along_axis(ordered, start + _FLAT_CELLS // 2, axis=2)[:, :, 0]
    return spread.min(axis=2) <= _FLAT, middle


def _runs(flat: Masks, middle: npt.NDArray[np.int16]) -> list[tuple[int, int]]:
    """First row and the one after the last of flat rows in a row that share a colour."""
    runs, start = [], None
    for row in range(SIDE + 1):
        goes_on = row < SIDE and flat[row] and (start is None or abs(middle[row] - middle[start]) <= _SAME)
        if goes_on:
            start = row if start is None else start
        elif start is not None:
            runs.append((start, row))
            start = row if row < SIDE and flat[row] else None
    return runs


def _ends_abruptly(luma: npt.NDArray[np.int16], top: int, bottom: int) -> bool:
    """Whether the light changes at both ends of rows; the edge of the image is as good as a change."""
    inside = luma[(top + bottom) // 2]
    outside = [luma[row] for row in (top - 2, bottom + 1) if 0 <= row < SIDE]
    return bool(outside) and all((np.abs(row - inside) > _STEP).mean() >= _STEP_SHARE for row in outside)


def without_bars(looks: Looks, covered: Masks) -> Looks:
    """The looks with the rows of each bar interpolated from the rows above and below it."""
    found = looks.copy()
    for number in np.flatnonzero(covered.any(axis=1)).tolist():
        known = ~covered[number]
        if not known.any():
            continue
        luma = found[number, : SIDE * SIDE].reshape(SIDE, SIDE)
        luma[:] = _continued(luma, known)
        known = known.reshape(CHROMA, SIDE // CHROMA).all(axis=1)
        for band in found[number, SIDE * SIDE :].reshape(2, CHROMA, CHROMA):
            if known.any():
                band[:] = _continued(band, known)
    return found


def _continued(cells: Looks, known: Masks) -> Looks:
    rows = np.flatnonzero(known)
    place = np.interp(np.arange(len(known)), rows, np.arange(len(rows)))
    low = np.floor(place).astype(np.int64)
    high, share = np.minimum(low + 1, len(rows) - 1), (place - low)[:, None]
    return np.asarray(cells[rows[low]] * (1 - share) + cells[rows[high]] * share, np.uint8)
