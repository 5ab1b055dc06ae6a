"""Copies that are parts of an image, in grey, or below a bar: candidates by slow waves of luma, then a fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.vision.looks import part_fit, parts
from calotype.vision.looks.part_fit import PartFit
from calotype.vision.looks.parts import REGIONS, Parts, Shown

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Masks = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]

CHANGES = ("mirrored", "cropped", "in grey", "with a bar")
"""What distinguishes a copy; bit k of `PartCopies.changes` stands for the k-th."""
_CANDIDATES = 4
_KEPT = 3
_CHUNK = 4_096
"""Looks whose parts are described at once: 41 MB."""
_ROWS, _TILE = 512, 64
_FIT_BATCH = 64
_ROUGHLY = 0.82
"""How alike reduced looks have to be for a second sight. True parts are above 0.9 in tests, but 3 %."""
_LIKENESS, _DETAIL, _COLOUR, _REST, _OVERLAP = 0.85, 0.7, 0.4, 1.2, 0.5
"""Different photos reach 0.94 in likeness, and 0.65 in detail."""
_OTHER_SHAPE = 0.2
"""Largest logarithm of the width stretched to the height."""
_STILL, _STILL_BAR, _STILL_PART = 0.3, 0.45, 0.6
"""The largest difference where nothing moved: of whole images, beside a bar, and in parts, which are less sharp."""
_CROPPED = 0.85
"""Share of the area below which a copy counts as cropped."""
_LEAST_BAR = 0.08


@dataclass(frozen=True, slots=True)
class PartCopies:
    """Q pairs that are copies; all arrays are (Q,).

    Attributes:
        of: The row of the look that is a part, or the whole, of the other one.
        within: The row of that other one.
        score: In [0, 1]; how certain it is.
        changes: Bits, of `CHANGES`.
    """

    of: Ints
    within: Ints
    score: Floats
    changes: Bits


def copied_parts(a: Shown, b: Shown, *, same: bool, strict: bool) -> PartCopies:
    """Which looks show what a part of another look shows, or all of it.

    Args:
        a: Looks that may be parts.
        b: Looks that may contain them.
        same: They are the same looks; none is compared with itself.
        strict: Only where nothing in the scene moved.
    """
    pairs = _candidates(a, b, same=same)
    starts, alike = np.zeros((len(pairs.of), 2, 3), np.float32), np.zeros(len(pairs.of), np.float32)
    for rows in _batches(len(pairs.of)):
        starts[rows], alike[rows] = part_fit.roughly(a, b, pairs.rows(rows))
    kept = np.flatnonzero((_rank(pairs.of, alike) < _KEPT) & (alike > _ROUGHLY))
    pairs, starts = pairs.rows(kept), starts[kept]
    score, copy = np.zeros(len(kept), np.float32), np.zeros(len(kept), bool)
    changes = np.zeros(len(kept), np.uint8)
    for rows in _batches(len(kept)):
        some = pairs.rows(rows)
        found = part_fit.fit_parts(a, b, some, starts[rows])
        grey, other_grey = a.grey[some.of], b.grey[some.within]
        changes[rows] = _changes(found, some.mirror, grey != other_grey)
        copy[rows] = _is_copy(found, grey | other_grey) & (
            found.fit.rest < (_still(changes[rows]) if strict else _REST)
        )
        score[rows] = _score(found, grey | other_grey)
    return PartCopies(pairs.of[copy], pairs.within[copy], score[copy], changes[copy])


def _is_copy(found: PartFit, grey: Masks) -> Masks:
    """(P,) the fixed rule: alike overall and in detail, and in colour where both have any; width and height fit."""
    fit = found.fit
    width, height = (np.maximum(found.where[:, axis, axis], 1e-3) for axis in (0, 1))
    alike = (fit.likeness > _LIKENESS) & (fit.detail > _DETAIL) & (fit.overlap > _OVERLAP)
    shape = np.abs(np.log(width / height)) < _OTHER_SHAPE
    return np.asarray(alike & shape & (grey | (fit.colour > _COLOUR)))


def _score(found: PartFit, grey: Masks) -> Floats:
    fit = found.fit
    alike = np.clip(fit.likeness, 0, 1) * np.sqrt(np.clip(fit.detail, 0, 1))
    colour = np.where(grey, 1, np.clip(fit.colour, 0, 1))
    return np.asarray(np.clip(alike * (0.6 + 0.4 * colour), 0, 1), np.float32)


def _changes(found: PartFit, mirror: Masks, grey: Masks) -> Bits:
    cropped = found.where[:, 0, 0] * found.where[:, 1, 1] < _CROPPED
    flags = np.stack([mirror, cropped, grey, found.bar > _LEAST_BAR])
    return np.asarray(np.packbits(flags, axis=0, bitorder="little")[0], np.uint8)


def _still(changes: Bits) -> Floats:
    limits = np.where(changes & 8, _STILL_BAR, _STILL)
    return np.asarray(np.where(changes & 2, _STILL_PART, limits), np.float32)


def _batches(n: int) -> Iterator[slice]:
    yield from (slice(start, start + _FIT_BATCH) for start in range(0, n, _FIT_BATCH))


def _rank(group: Ints, value: Floats) -> Ints:
    """(P,) how many of the same group have a larger value."""
    order = np.lexsort((-value, group))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    return rank


def _candidates(a: Shown, b: Shown, *, same: bool) -> Parts:
    """For each look of `a` those of `b` of which a region is most alike, in the whole or mirrored."""
    even, odd = parts.codes(a.looks, REGIONS[0])
    found: list[tuple[Ints, Masks, Ints, Ints, Floats]] = []
    for first in range(0, len(b.looks), _CHUNK):
        targets = _Targets(parts.codes(b.looks[first : first + _CHUNK], region) for region in REGIONS)
        for start in range(0, len(even), _ROWS):
            rows = slice(start, start + _ROWS)
            best = targets.best(even[rows], odd[rows])
            if same:
                own = np.arange(len(best)) + start - first
                inside = (own >= 0) & (own < best.shape[1])
                best[np.flatnonzero(inside), own[inside]] = -3
            k = min(_CANDIDATES, best.shape[1])
            top = np.argpartition(-best, k - 1, axis=1)[:, :k].ravel()
            of = np.repeat(np.arange(len(best)), k)
            region, mirror = targets.how(even[rows][of], odd[rows][of], top)
            found.append((of + start, mirror, top + first, region, best[of, top]))
    of, mirror, within, region, alike = (np.concatenate(column) for column in zip(*found, strict=True))
    kept = np.flatnonzero((_rank(of, alike) < _CANDIDATES) & (alike > -2))
    return Parts(of[kept], mirror[kept], within[kept], region[kept])


class _Targets:
    """The codes of all regions of M looks, in tiles that fit into a processor's cache."""

    def __init__(self, codes: Iterator[tuple[Floats, Floats]]) -> None:
        even, odd = zip(*codes, strict=True)
        self._even, self._odd = np.stack(even), np.stack(odd)

    def best(self, even: Floats, odd: Floats) -> Floats:
        """(N, M) how alike N codes and the most similar region of each look are, mirrored or not."""
        n_regions, n_looks = self._even.shape[:2]
        best = np.empty((len(even), n_looks), np.float32)
        for start in range(0, n_looks, _TILE):
            columns = slice(start, start + _TILE)
            e, o = (
                np.ascontiguousarray(part[:, columns].reshape(-1, part.shape[2]).T)
                for part in (self._even, self._odd)
            )
            alike, turned = (np.empty((_TILE, e.shape[1]), np.float32) for _ in range(2))
            for row in range(0, len(even), _TILE):
                rows = slice(row, row + _TILE)
                n = len(even[rows])
                np.matmul(even[rows], e, out=alike[:n])
                np.abs(np.matmul(odd[rows], o, out=turned[:n]), out=turned[:n])
                alike[:n] += turned[:n]
                np.max(alike[:n].reshape(n, n_regions, -1), axis=1, out=best[rows, columns])
        return best

    def how(self, even: Floats, odd: Floats, looks: Ints) -> tuple[Ints, Masks]:
        """(P,) the region of each look which is most alike, and whether the code has to be mirrored."""
        e = np.einsum("pd,rpd->pr", even, self._even[:, looks])
        o = np.einsum("pd,rpd->pr", odd, self._odd[:, looks])
        region = np.argmax(e + np.abs(o), axis=1)
        return region, o[np.arange(len(o)), region] < 0
