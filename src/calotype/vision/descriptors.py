"""A vector for an image without learned weights: where its edges run and where its colours lie. Version 1.

It captures layout and light, not meaning: two images of the same street are close, two breeds of dog are not separated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]

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
    """The vector of one image: gradients and colours, each half of its energy.

    Args:
        rgb: Array (H, W, 3) uint8 of any size; it is stretched to a square of 128 px.
    Returns:
        Array (1861,) float32 of length 1: 7 x 7 blocks of 4 cells of 9 directions (each block around its mean), then
        mean (around middle grey) and deviation of the three channels in 4 x 4 cells, and a constant.
        A flat image has colours only.
    Source: N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", 2005 (unsigned
    directions, blocks that overlap, L2-Hys at 0.2), with cells of 16 px and no weighting within a block.
    """
    if rgb.shape[:2] != (SIDE_PX, SIDE_PX):
        size = (SIDE_PX, SIDE_PX)
        rgb = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    values = rgb.astype(np.float32) / 255.0
    edges, colours = _gradients(values @ np.array([0.299, 0.587, 0.114], np.float32)), _colours(values)
    vector = np.concatenate([_unit(edges), _unit(colours)])
    return _unit(vector)


def _gradients(luma: Vector) -> Vector:
    """Histograms of direction, normalised over blocks of 2 x 2 cells."""
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
    cells = counts.reshape(N_CELLS, N_CELLS, N_DIRECTIONS)
    blocks = np.concatenate([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=2)
    blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + _BLOCK_FLOOR**2), 0.2)
    return np.asarray((blocks - blocks.mean(axis=2, keepdims=True)).ravel(), dtype=np.float32)


def _colours(values: Vector) -> Vector:
    """Mean and deviation of the channels in a grid; the constant keeps middle grey from becoming a zero vector."""
    side = SIDE_PX // N_COLOUR_CELLS
    grid = values.reshape(N_COLOUR_CELLS, side, N_COLOUR_CELLS, side, 3)
    mean, deviation = grid.mean(axis=(1, 3)), grid.std(axis=(1, 3))
    grid = np.concatenate([mean - 0.5, deviation], axis=2, dtype=np.float32).ravel()
    return np.append(grid, np.float32(_CONSTANT))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0 else vector, dtype=np.float32)
