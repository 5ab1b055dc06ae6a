"""Masks as run lengths, column by column, as in COCO. Everything is checked before memory is allocated.

Source: the mask format of the COCO API (`counts` alternate between 0 and 1, beginning with 0, in column-major order;
the compressed text packs 5 bits per character, from the fourth run on as a difference to the run two before).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import Invalid

MAX_PIXELS = 100_000_000
Mask = npt.NDArray[np.bool_]


class RleInvalid(Invalid):
    """Run lengths that do not describe a mask."""

    code = "rle-invalid"
    what = "invalid run lengths: {detail}"
    fix = "the runs of a mask are whole numbers of 0 or more that add up to height * width"


@dataclass(frozen=True, slots=True)
class Rle:
    """A mask of `size_hw` as run lengths; raises RleInvalid when the runs do not fill it."""

    size_hw: tuple[int, int]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        height, width = self.size_hw
        if height < 1 or width < 1 or height * width > MAX_PIXELS:
            raise RleInvalid(
                detail=f"its size is {height:g}x{width:g}" if max(height, width) < 1e9 else "its size is huge"
            )
        if any(not 0 <= run <= MAX_PIXELS for run in self.counts):
            raise RleInvalid(detail="a run is negative or longer than any mask")
        if sum(self.counts) != height * width:
            raise RleInvalid(detail=f"{sum(self.counts)} pixels in the runs, {height * width} in the image")

    @property
    def area_px(self) -> int:
        """Number of pixels that are set."""
        return sum(self.counts[1::2])

    def bbox_xywh_px(self) -> tuple[float, float, float, float]:
        """The box around the set pixels; four zeros for an empty mask."""
        height = self.size_hw[0]
        ends = np.cumsum(np.asarray(self.counts, dtype=np.int64))
        starts, stops = ends[0::2][: len(ends) // 2], ends[1::2]
        filled = stops > starts
        starts, stops = starts[filled], stops[filled] - 1
        if not starts.size:
            return (0.0, 0.0, 0.0, 0.0)
        left, right = int(starts[0] // height), int(stops[-1] // height)
        spans_columns = (starts // height) != (stops // height)
        top = 0 if spans_columns.any() else int((starts % height).min())
        bottom = height - 1 if spans_columns.any() else int((stops % height).max())
        return (float(left), float(top), float(right - left + 1), float(bottom - top + 1))


def _shown(side: int) -> str:
    """A side for a message; a whole number of thousands of digits cannot be printed."""
    return str(side) if abs(side) <= MAX_PIXELS else f"over {MAX_PIXELS:,}"


def encode(mask: npt.ArrayLike) -> Rle:
    """The run lengths of a (H, W) mask."""
    array = np.asarray(mask, dtype=bool)
    flat = array.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(edges).tolist()
    if flat.size and flat[0]:
        runs = [0, *runs]
    return Rle((array.shape[0], array.shape[1]), tuple(int(run) for run in runs))


def decode(rle: Rle) -> Mask:
    """The (H, W) bool mask."""
    values = np.zeros(len(rle.counts), dtype=bool)
    values[1::2] = True
    flat = np.repeat(values, np.asarray(rle.counts, dtype=np.int64))
    return flat.reshape(rle.size_hw, order="F")


def areas_of_parts(mask: Mask) -> npt.NDArray[np.int64]:
    """(P,) pixels of each part of a (H, W) mask; parts touch at sides, not at corners only."""
    from scipy import ndimage  # heavy to load

    parts, _ = ndimage.label(mask)
    return np.bincount(parts.ravel())[1:]


def to_string(rle: Rle) -> str:
    """The compressed text of the COCO API."""
    out = bytearray()
    for position, run in enumerate(rle.counts):
        value = run - rle.counts[position - 2] if position > 2 else run
        while True:
            chunk = value & 0x1F
            value >>= 5
            more = value != -1 if chunk & 0x10 else value != 0
            out.append((chunk | 0x20 if more else chunk) + 48)
            if not more:
                break
    return out.decode("ascii")


def from_string(text: str, size_hw: tuple[int, int]) -> Rle:
    """Run lengths of a compressed text.

    Raises: RleInvalid: bytes outside the alphabet, a cut-off number, runs that do not fill the size.
    """
    counts: list[int] = []
    position, length = 0, len(text)
    while position < length:
        value, shift, more = 0, 0, True
        while more:
            if position >= length or shift > 60:
                raise RleInvalid(detail="its text is cut off or no run text")
            chunk = ord(text[position]) - 48
            if not 0 <= chunk < 64:
                raise RleInvalid(detail=f"its text holds {text[position]!r}")
            value |= (chunk & 0x1F) << shift
            more = bool(chunk & 0x20)
            position += 1
            shift += 5
            if not more and chunk & 0x10:
                value |= -1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return Rle(size_hw, tuple(counts))


def from_counts(counts: Sequence[int], size_hw: tuple[int, int]) -> Rle:
    """Run lengths given as a list of whole numbers. Raises: RleInvalid."""
    if any(isinstance(run, bool) or not isinstance(run, int) for run in counts):
        raise RleInvalid(detail="a run is not a whole number")
    return Rle(size_hw, tuple(counts))


def rings_of(mask: npt.ArrayLike) -> tuple[tuple[float, ...], ...]:
    """Outlines of the set areas along pixel edges, each flat x1, y1, x2, y2, ... in pixels.

    Holes are not included (the formats that need outlines have none). Corners only: collinear points are left
    out, so filling the rings gives the mask back exactly, less its holes.
    """
    array = np.asarray(mask, dtype=bool)
    if not array.any():
        return ()
    follow = _edges(np.pad(array, 1))
    rings: list[tuple[float, ...]] = []
    while follow:
        start = next(iter(follow))
        ring, here, heading = [], start, (0, 0)
        while True:
            options = follow[here]
            step = _turn(options, heading)
            options.remove(step)
            if not options:
                del follow[here]
            if step != heading:
                ring.append(here)
            heading = step
            here = (here[0] + step[0], here[1] + step[1])
            if here == start and here not in follow:
                break
            if here == start:
                break
        flat = tuple(float(v - 1) for x, y in ring for v in (x, y))
        if len(flat) >= 8 and _signed_area(flat) > 0:
            rings.append(flat)
    return tuple(rings)


def _edges(padded: Mask) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Directed unit edges with the set pixel on the right: corner (x, y) -> steps that leave it."""
    follow: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (dy, dx), step, (oy, ox) in (
        ((-1, 0), (1, 0), (0, 0)),
        ((0, 1), (0, 1), (0, 1)),
        ((1, 0), (-1, 0), (1, 1)),
        ((0, -1), (0, -1), (1, 0)),
    ):
        border = padded & ~np.roll(padded, (-dy, -dx), axis=(0, 1))
        for y, x in zip(*(axis.tolist() for axis in np.nonzero(border)), strict=True):
            follow.setdefault((x + ox, y + oy), []).append(step)
    return follow


def _turn(options: list[tuple[int, int]], heading: tuple[int, int]) -> tuple[int, int]:
    """Where two areas touch at a corner, turn right first, so that each gets its own ring."""
    right = (-heading[1], heading[0])
    return right if right in options else options[0]


def _signed_area(ring: Sequence[float]) -> float:
    x, y = np.asarray(ring[0::2]), np.asarray(ring[1::2])
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
