"""A vector for an image without learned weights: where its edges run and where its colours lie.

It captures layout and light, not meaning: two images of the same street are close, two breeds of dog are not separated.
"""

from __future__ import annotations

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
    image = Image.fromarray(rgb)
    if image.size != (_SIDE_PX, _SIDE_PX):
        image = image.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX, reducing_gap=2.0)
    directions, lower_share, upper_share, base = _tables()
    luma = np.pad(np.asarray(image.convert("L"), np.int32), 1, mode="edge")
    dx, dy = luma[1:-1, 2:] - luma[1:-1, :-2], luma[2:, 1:-1] - luma[:-2, 1:-1]
    pair = ((dy + 255) * 511 + (dx + 255)).ravel()
    place = base + directions[pair]
    size = N_CELLS * N_CELLS * N_DIRECTIONS
    lower = np.bincount(place, lower_share[pair], minlength=size).reshape(N_CELLS, N_CELLS, N_DIRECTIONS)
    upper = np.bincount(place, upper_share[pair], minlength=size).reshape(N_CELLS, N_CELLS, N_DIRECTIONS)
    cells = (lower + np.roll(upper, 1, axis=2)) * (N_CELLS / _SIDE_PX) ** 2
    values = np.asarray(image, np.float32) / np.float32(255)
    return _unit(np.concatenate([_unit(_blocks(cells)), _unit(_colours(values))]))


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
    return _blocks(counts.reshape(N_CELLS, N_CELLS, N_DIRECTIONS))


def _blocks(cells: npt.NDArray[np.floating[Any]]) -> Vector:
    """Blocks of 2 x 2 cells, each normalised and around its mean."""
    blocks = np.concatenate([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=2)
    blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + _BLOCK_FLOOR**2), 0.2)
    return np.asarray((blocks - blocks.mean(axis=2, keepdims=True)).ravel(), dtype=np.float32)


def _colours(values: Vector) -> Vector:
    """Mean and deviation of the channels in a grid; the constant keeps middle grey from becoming a zero vector."""
    side = len(values) // N_COLOUR_CELLS
    grid = values.reshape(N_COLOUR_CELLS, side, N_COLOUR_CELLS, side, 3)
    mean = grid.sum(axis=1).sum(axis=2) / side**2  # one axis after the other: several times quicker than both
    square = (grid * grid).sum(axis=1).sum(axis=2) / side**2
    return _colour_vector(mean, np.sqrt(np.maximum(square - mean * mean, 0)))


def _colours_v1(values: Vector) -> Vector:
    side = SIDE_PX // N_COLOUR_CELLS
    grid = values.reshape(N_COLOUR_CELLS, side, N_COLOUR_CELLS, side, 3)
    return _colour_vector(grid.mean(axis=(1, 3)), grid.std(axis=(1, 3)))


def _colour_vector(mean: Vector, deviation: Vector) -> Vector:
    grid = np.concatenate([mean - 0.5, deviation], axis=2, dtype=np.float32).ravel()
    return np.append(grid, np.float32(_CONSTANT))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0 else vector, dtype=np.float32)
