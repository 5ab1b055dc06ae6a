"""A vector for an image without learned weights: where its edges run and where its colours lie.

It captures layout and light, not meaning: two images of the same street are close, two breeds of dog are not separated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]

_SIDE_PX = 64
SIDE_PX = 128
CELL_PX = 16
N_DIRECTIONS = 9
N_CELLS = SIDE_PX // CELL_PX
N_BLOCKS = N_CELLS - 1
N_COLOUR_CELLS = 4
DIMENSIONS = N_BLOCKS * N_BLOCKS * 4 * N_DIRECTIONS + N_COLOUR_CELLS * N_COLOUR_CELLS * 6 + 1

_AT_ONCE = 32
"""Images that are described together; their pixels fit into a processor's cache."""
_LUMA_SHARES = (19_595, 38_470, 7_471)
"""Of 65,536."""
_BLOCK_FLOOR = 0.02
"""Added to a block's energy: without it the noise of a flat wall counts as much as an edge."""
_CONSTANT = 0.7
"""As much as a deviation of a tenth from middle grey everywhere."""


def hog_colour(rgb: Rgb) -> Vector:
    """The vector of one image, version 2: gradients and colours, each half of its energy.

    Args:
        rgb: Array (H, W, 3) uint8 of any size; it is stretched to a square of 64 px.
    Returns:
        Array (1861,) float32 of length 1: 7 x 7 blocks of 4 cells of 9 directions (each block around its mean), then
        mean (around middle grey) and deviation of the three channels in 4 x 4 cells, and a constant.
        A flat image has colours only.
    Source: N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", 2005 (cells of 8 px,
    unsigned directions, blocks that overlap, L2-Hys at 0.2), without weighting within a block. Differences of 8-bit
    luma take 511 values, so a table holds the direction and the strength of each pair.
    """
    return np.asarray(hog_colours([rgb])[0])


def hog_colours(images: Sequence[Rgb]) -> Vector:
    """(N, 1861) the vectors of N images, as of `hog_colour`; many cost less together."""
    parts = [_described(images[start : start + _AT_ONCE]) for start in range(0, len(images), _AT_ONCE)]
    return np.concatenate([np.zeros((0, DIMENSIONS), np.float32), *parts])


def _described(images: Sequence[Rgb]) -> Vector:
    small = np.stack([_small(rgb) for rgb in images])
    edges, colours = _blocks(_cells(_luma(small))), _colours(small.astype(np.float32) / np.float32(255))
    return _units(np.hstack([_units(edges), _units(colours)]))


def _small(rgb: Rgb) -> Rgb:
    """(64, 64, 3) uint8."""
    if rgb.shape[:2] == (_SIDE_PX, _SIDE_PX):
        return rgb
    size = (_SIDE_PX, _SIDE_PX)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX, reducing_gap=2.0))


def _luma(rgb: Rgb) -> npt.NDArray[np.intp]:
    """(N, 64, 64) luma by ITU-R BT.601, rounded as Pillow rounds it."""
    red, green, blue = (rgb[..., band] * np.uint32(share) for band, share in enumerate(_LUMA_SHARES))
    return np.asarray((red + green + blue + np.uint32(0x8000)) >> np.uint32(16), np.intp)


def _cells(luma: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """(N, 8, 8, 9) how strongly edges run in each direction in each cell."""
    directions, lower_share, upper_share, base = _tables()
    n, size = len(luma), N_CELLS * N_CELLS * N_DIRECTIONS
    luma = np.pad(luma, ((0, 0), (1, 1), (1, 1)), mode="edge")
    dx, dy = luma[:, 1:-1, 2:] - luma[:, 1:-1, :-2], luma[:, 2:, 1:-1] - luma[:, :-2, 1:-1]
    pair = ((dy + 255) * 511 + (dx + 255)).reshape(n, -1)
    place = directions.take(pair)
    place += base
    place += size * np.arange(n)[:, None]
    shape = (n, N_CELLS, N_CELLS, N_DIRECTIONS)
    lower, upper = (
        np.bincount(place.ravel(), share.take(pair.ravel()), minlength=n * size).reshape(shape)
        for share in (lower_share, upper_share)
    )
    return np.asarray((lower + np.roll(upper, 1, axis=3)) * (N_CELLS / _SIDE_PX) ** 2, np.float64)


@lru_cache(maxsize=1)
def _tables() -> tuple[
    npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.intp]
]:
    """By difference (dy, dx): direction below, strength for it and for the next; by pixel: where its cell starts."""
    step = np.arange(-255, 256) / 255
    turn = np.mod(np.arctan2(step[:, None], step) * (N_DIRECTIONS / np.pi) - 0.5, N_DIRECTIONS)
    lower = np.floor(turn)
    share, strength = turn - lower, np.hypot(step[:, None], step)
    cell = np.arange(_SIDE_PX) * N_CELLS // _SIDE_PX
    base = (cell[:, None] * N_CELLS + cell) * N_DIRECTIONS
    direction = lower.astype(np.intp) % N_DIRECTIONS
    return direction.ravel(), (strength * (1 - share)).ravel(), (strength * share).ravel(), base.ravel()


def hog_colour_v1(rgb: Rgb) -> Vector:
    """Version 1, for vectors that are already stored: a square of 128 px, cells of 16 px, luma in floats."""
    if rgb.shape[:2] != (SIDE_PX, SIDE_PX):
        size = (SIDE_PX, SIDE_PX)
        rgb = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    values = rgb.astype(np.float32) / 255.0
    edges, colours = _gradients(values @ np.array([0.299, 0.587, 0.114], np.float32)), _colours_v1(values)
    return _unit(np.concatenate([_unit(edges), _unit(colours)]))


def _gradients(luma: Vector) -> Vector:
    """Blocks of histograms of direction, of version 1."""
    pad = np.pad(luma, 1, mode="edge")
    dx, dy = pad[1:-1, 2:] - pad[1:-1, :-2], pad[2:, 1:-1] - pad[:-2, 1:-1]
    strength = np.hypot(dx, dy)
    turn = np.mod(np.arctan2(dy, dx) * np.float32(N_DIRECTIONS / np.pi) - 0.5, N_DIRECTIONS)
    lower = np.floor(turn)
    share = turn - lower
    low = lower.astype(np.intp) % N_DIRECTIONS
    cell = np.arange(SIDE_PX) // CELL_PX
    base = (cell[:, None] * N_CELLS + cell[None, :]) * N_DIRECTIONS
    places = np.concatenate([(base + low).ravel(), (base + (low + 1) % N_DIRECTIONS).ravel()])
    weights = np.concatenate([(strength * (1 - share)).ravel(), (strength * share).ravel()])
    counts = np.bincount(places, weights, minlength=N_CELLS * N_CELLS * N_DIRECTIONS) / CELL_PX**2
    return np.asarray(_blocks(counts.reshape(1, N_CELLS, N_CELLS, N_DIRECTIONS))[0])


def _blocks(cells: npt.NDArray[np.floating[Any]]) -> Vector:
    """(N, 1764) blocks of 2 x 2 cells, each normalised and around its mean."""
    parts = [cells[:, :-1, :-1], cells[:, :-1, 1:], cells[:, 1:, :-1], cells[:, 1:, 1:]]
    blocks = np.concatenate(parts, axis=3)
    blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(axis=3, keepdims=True) + _BLOCK_FLOOR**2), 0.2)
    blocks -= blocks.mean(axis=3, keepdims=True)
    return np.asarray(blocks.reshape(len(cells), -1), dtype=np.float32)


def _colours(values: Vector) -> Vector:
    """(N, 97) mean and deviation of the channels in a grid; the constant keeps middle grey from becoming a zero
    vector."""
    side = values.shape[1] // N_COLOUR_CELLS
    grid = values.reshape(len(values), N_COLOUR_CELLS, side, N_COLOUR_CELLS, side, 3)
    mean = grid.sum(axis=2).sum(axis=3) / side**2  # one axis after the other: several times quicker than both
    square = (grid * grid).sum(axis=2).sum(axis=3) / side**2
    return _colour_vectors(mean, np.sqrt(np.maximum(square - mean * mean, 0)))


def _colours_v1(values: Vector) -> Vector:
    side = SIDE_PX // N_COLOUR_CELLS
    grid = values.reshape(1, N_COLOUR_CELLS, side, N_COLOUR_CELLS, side, 3)
    return np.asarray(_colour_vectors(grid.mean(axis=(2, 4)), grid.std(axis=(2, 4)))[0])


def _colour_vectors(mean: Vector, deviation: Vector) -> Vector:
    grid = np.concatenate([mean - 0.5, deviation], axis=3, dtype=np.float32).reshape(len(mean), -1)
    return np.hstack([grid, np.full((len(mean), 1), _CONSTANT, np.float32)])


def _units(vectors: Vector) -> Vector:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.asarray(np.divide(vectors, lengths, out=vectors.copy(), where=lengths > 0), dtype=np.float32)


def _unit(vector: Vector) -> Vector:
    return np.asarray(_units(vector[None])[0])
