"""How well a look matches a part of another one.

It is compared with a *cut-out* of the other look: a region with a margin, enlarged, so that both show as much detail.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from calotype.vision.looks.codes import shrink
from calotype.vision.looks.fit import (
    COARSEST,
    GRID,
    Fit,
    at_grid,
    blurred,
    chroma_alike,
    correlated,
    fitted,
    points,
    sampled,
    smoother,
)
from calotype.vision.looks.look import SIDE, chroma_of, luma_of
from calotype.vision.looks.parts import REGIONS, Parts, Shown

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Masks = npt.NDArray[np.bool_]

_MARGIN = 0.12
"""Of the size of a region."""
_ROUGH_SIDE, _ROUGH_CELLS = 16, 1.0
_ROUNDS = ((1.6, 16), (0.6, 24))
"""By how many cells the cut-out is smoothed, and at how many points a side the part is fitted."""
_SHARP, _SLOW = 0.4, 3.5
"""By how many cells both are smoothed where they are compared, and what counts as a slow change."""
_UNIT = np.eye(8, dtype=np.float32)
_SIZE_AND_PLACE = np.stack([_UNIT[0] + _UNIT[4], *_UNIT[[2, 5, 6, 7]]], axis=1)
_EACH_AXIS = _UNIT[:, [0, 2, 4, 5, 6, 7]]
"""(8, K): what a fit may change beside light and contrast: the size and the place, or width, height and the place.
A turn is left to `fit.fit`: fits of parts go astray more often with more freedom."""


@dataclass(frozen=True, slots=True)
class PartFit:
    """How P parts fit.

    Attributes:
        fit: Its `overlap` is the share of the part that is inside the other look and not below a bar.
        where: (P, 2, 3) maps from a point (x, y, 1) of the part to one of the whole look, both from 0 to 1.
        bar: (P,) share of the part that a bar covers in one of both.
    """

    fit: Fit
    where: Floats
    bar: Floats


def roughly(a: Shown, b: Shown, pairs: Parts) -> tuple[Floats, Floats]:
    """Maps of pairs, (P, 2, 3), and (P,) how alike they then are, in [-1, 1], at a third of the detail.

    Args:
        a: Looks that may be parts.
        b: Looks that may contain them.
        pairs: P of them.
    Returns: Maps of (x, y, 1) in the part to points of the cut-out, both from 0 to 1.
    """
    cut, each = _cut_out(b, pairs, _ROUGH_SIDE), np.arange(len(pairs.of))
    means = smoother(_ROUGH_SIDE, _ROUGH_CELLS) @ shrink(SIDE, _ROUGH_SIDE, 0, 1)
    small = means @ a.luma(pairs.of, pairs.mirror) @ means.T
    start, cut = _starts(pairs.region), blurred(cut, _ROUGH_CELLS)
    where, wanted, seen, inside = fitted(small, cut, start, each, each, n=COARSEST, free=_SIZE_AND_PLACE)
    return where, correlated(wanted, seen, inside)[0]


def fit_parts(a: Shown, b: Shown, pairs: Parts, start: Floats) -> PartFit:
    """Fit parts on the looks that may contain them, as above, from the maps that `roughly` found.

    Source: S. Baker and I. Matthews, "Lucas-Kanade 20 years on", 2004: inverse compositional, with gain and offset.
    """
    luma, cut, each = a.luma(pairs.of, pairs.mirror), _cut_out(b, pairs, SIDE), np.arange(len(pairs.of))
    where = start
    for cells, n in _ROUNDS:
        soft = _softened(luma, pairs.region, cells)
        where = fitted(soft, blurred(cut, cells), where, each, each, n=n, free=_EACH_AXIS)[0]
    x, y, inside = points(where, GRID)
    barred, in_one = _below_bars(a, b, pairs, y)
    weights = (inside & ~barred).astype(np.float32)
    mine, other = (
        at_grid(_softened(luma, pairs.region, _SHARP), GRID),
        sampled(blurred(cut, _SHARP), each, x, y),
    )
    likeness, rest = correlated(mine, other, weights)
    slow, slow_cut = at_grid(blurred(luma, _SLOW), GRID), sampled(blurred(cut, _SLOW), each, x, y)
    detail, _ = correlated(mine - slow, other - slow_cut, weights)
    whole = _in_whole(where, pairs.region)
    colour = chroma_alike(a.chroma(pairs.of, pairs.mirror), chroma_of(b.looks[pairs.within]), whole)
    largest = np.abs(blurred(rest.reshape(-1, GRID, GRID), 1.0)).max(axis=(1, 2))
    found = Fit(likeness, detail, colour, np.asarray(largest, np.float32), weights.mean(axis=1))
    return PartFit(found, whole, np.asarray((in_one & inside).mean(axis=1), np.float32))


def _cut_out(b: Shown, pairs: Parts, side: int) -> Floats:
    """(P, side, side) luma of regions with their margins."""
    down, across = _magnifiers(side)
    luma = luma_of(b.looks[pairs.within])
    return np.asarray(down[pairs.region] @ luma @ across[pairs.region].transpose(0, 2, 1), np.float32)


def _starts(region: Ints) -> Floats:
    """(P, 2, 3) where in the cut-out the region lies."""
    places, boxes = np.asarray(REGIONS, np.float32)[region], _BOXES[region]
    where = np.zeros((len(region), 2, 3), np.float32)
    where[:, [0, 1], [0, 1]] = places[:, 2:] / boxes[:, 2:]
    where[:, :, 2] = (places[:, :2] - boxes[:, :2]) / boxes[:, 2:]
    return where


def _in_whole(where: Floats, region: Ints) -> Floats:
    """Maps to the whole look, from maps to the cut-out."""
    boxes = _BOXES[region]
    whole = where * boxes[:, [2, 3], None]
    whole[:, :, 2] += boxes[:, :2]
    return np.asarray(whole, np.float32)


def _below_bars(a: Shown, b: Shown, pairs: Parts, y: Floats) -> tuple[Masks, Masks]:
    """(P, M) which points of the grid lie below a bar in any of both looks, and in only one; `y` is in the cut-out."""
    boxes = _BOXES[pairs.region]
    rows = np.clip((boxes[:, 1:2] + boxes[:, 3:] * y) * SIDE, 0, SIDE - 1).astype(np.int64)
    theirs = b.covered[pairs.within[:, None], rows]
    lines = a.covered[pairs.of].astype(np.float32) @ shrink(SIDE, GRID, 0, 1).T > 0
    mine = np.repeat(lines, GRID, axis=1)
    return mine | theirs, mine ^ theirs


def _boxes() -> Floats:
    """(R, 4): left, top, width and height of the cut-out of each region."""
    x, y, w, h = np.asarray(REGIONS, np.float32).T
    left, top = np.maximum(x - _MARGIN * w, 0), np.maximum(y - _MARGIN * h, 0)
    right, bottom = np.minimum(x + (1 + _MARGIN) * w, 1), np.minimum(y + (1 + _MARGIN) * h, 1)
    return np.stack([left, top, right - left, bottom - top], axis=1)


_BOXES = _boxes()


@lru_cache(maxsize=2)
def _magnifiers(side: int) -> tuple[Floats, Floats]:
    """(R, side, 48) for the rows of each cut-out, and for its columns."""
    down, across = (
        np.stack([_magnifier(float(start), float(extent), side) for start, extent in _BOXES[:, axes]])
        for axes in ([1, 3], [0, 2])
    )
    return down, across


def _magnifier(start: float, extent: float, side: int) -> Floats:
    """(side, 48): means of cells, or values between them where they are enlarged."""
    if extent * SIDE >= side:
        return shrink(SIDE, side, start, extent)
    cells = np.clip((start + extent * (np.arange(side) + 0.5) / side) * SIDE - 0.5, 0, SIDE - 1.001)
    low = np.floor(cells).astype(np.int64)
    matrix = np.zeros((side, SIDE), np.float32)
    matrix[np.arange(side), low] = 1 - (cells - low)
    matrix[np.arange(side), low + 1] = cells - low
    return matrix


def _softened(luma: Floats, region: Ints, cells: float) -> Floats:
    """Parts smoothed until they are as soft as cut-outs that are smoothed by `cells`."""
    matrices = _softeners(cells)[region]
    return np.asarray(matrices @ luma @ matrices.transpose(0, 2, 1))


@lru_cache(maxsize=4)
def _softeners(cells: float) -> Floats:
    """(R, 48, 48). The variance of a cell is 1/12, that of a cell which is enlarged linearly 1/12 + 1/6 of its size."""
    sizes = _BOXES[:, 2:].mean(axis=1)
    more = np.where(sizes < 1, (1 / 12 + 1 / 6) / sizes**2 - 1 / 12, 0)
    return np.stack([smoother(SIDE, float(np.sqrt(cells**2 + extra))) for extra in more])
