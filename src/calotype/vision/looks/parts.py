"""Looks by their light alone, in whole and in parts: how copies in grey, crops and copies below a bar are searched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.vision.looks.bars import rows_of_bars, without_bars
from calotype.vision.looks.codes import shrink
from calotype.vision.looks.look import SIDE, Looks, chroma_of, luma_of

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Masks = npt.NDArray[np.bool_]

REGIONS: tuple[tuple[float, float, float, float], ...] = (
    (0.0, 0.0, 1.0, 1.0),
    *(
        ((1 - size) * column / (n - 1), (1 - size) * row / (n - 1), size, size)
        for size, n in ((0.8, 3), (0.62, 5), (0.52, 6))
        for column in range(n)
        for row in range(n)
    ),
)
"""x, y, w, h as shares of a look: the whole, then squares that lie so close that a fit reaches what is between."""
_WAVES = 6
_MEANS = 12
_LEAST_SIZE = 24
"""Added to the size of the waves of a region: without it the noise of a flat region counts as much as an edge."""
_GREY = 3
"""Chroma up to which an image is grey; JPEG adds less."""


@dataclass(frozen=True, slots=True)
class Shown:
    """N looks as they are compared in parts.

    Attributes:
        looks: (N, 2592) uint8 without bars.
        covered: (N, 48) bool; rows that a bar covered.
        grey: (N,) bool; images without colour.
    """

    looks: Looks
    covered: Masks
    grey: Masks

    def luma(self, rows: Ints, mirror: Masks) -> Floats:
        """(P, 48, 48) luma of rows, mirrored where asked for."""
        luma = luma_of(self.looks[rows])
        luma[mirror] = luma[mirror][:, :, ::-1]
        return luma

    def chroma(self, rows: Ints, mirror: Masks) -> Floats:
        """(P, 2, 12, 12) chroma of rows, mirrored where asked for."""
        chroma = chroma_of(self.looks[rows])
        chroma[mirror] = chroma[mirror][..., ::-1]
        return chroma


@dataclass(frozen=True, slots=True)
class Parts:
    """P pairs of a look and a part of another look that may show the same; all arrays are (P,).

    Attributes:
        of: The row of the look that may be a part.
        mirror: Whether it is mirrored.
        within: The row of the look that may contain it.
        region: Where: the number of one of `REGIONS`.
    """

    of: Ints
    mirror: Masks
    within: Ints
    region: Ints

    def rows(self, rows: Ints | Masks | slice) -> Parts:
        """Some of the pairs."""
        return Parts(self.of[rows], self.mirror[rows], self.within[rows], self.region[rows])


def shown(looks: Looks) -> Shown:
    """Looks as they are compared in parts, from those of `look`."""
    covered = rows_of_bars(looks)
    grey = np.asarray(np.abs(chroma_of(looks)).reshape(len(looks), -1).max(axis=1, initial=0) <= _GREY)
    return Shown(without_bars(looks, covered), covered, grey)


def codes(looks: Looks, region: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
    """The slow waves of luma in a region: (N, 17) that stay as they are in a mirror, (N, 18) that change their sign.

    Both together have length 1, or less where the region is flat.

    Source: discrete cosine transform of 12 x 12 means; finer waves count more, by the root of their frequency.
    """
    x, y, w, h = region
    down, across = _cosines() @ shrink(SIDE, _MEANS, y, h), _cosines() @ shrink(SIDE, _MEANS, x, w)
    waves = down @ luma_of(looks) @ across.T
    number = np.arange(_WAVES)
    waves *= np.sqrt(number[:, None] + number).astype(np.float32)
    waves /= np.linalg.norm(waves.reshape(len(looks), -1), axis=1)[:, None, None] + _LEAST_SIZE
    even, odd = (waves[:, :, start::2].reshape(len(looks), -1) for start in (0, 1))
    return np.asarray(even[:, 1:], np.float32), np.asarray(odd, np.float32)


def _cosines() -> Floats:
    """(6, 12) orthonormal."""
    waves = np.cos(np.pi * np.arange(_WAVES)[:, None] * (np.arange(_MEANS) + 0.5) / _MEANS)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves * np.sqrt(2 / _MEANS), np.float32)
