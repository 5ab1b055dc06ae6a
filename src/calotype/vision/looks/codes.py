"""Short descriptors of looks and of their parts, by which copies are searched."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.vision.looks.look import CHROMA, SIDE, Looks, chroma_of, luma_of

Floats = npt.NDArray[np.float32]


def mirrored_descriptors(found: Floats) -> Floats:
    """The descriptors of whole mirrored images, from those of the images."""
    luma, chroma = found[:, :144].reshape(-1, 12, 12), found[:, 144:].reshape(-1, 12, 6)
    return np.hstack([luma[:, :, ::-1].reshape(-1, 144), chroma[:, :, ::-1].reshape(-1, 72)])


def descriptors(looks: Looks, region: tuple[float, float, float, float] = (0, 0, 1, 1)) -> Floats:
    """(N, 216) rows of length 1: 12 x 12 of luma and 6 x 6 of chroma of a region (x, y, w, h as shares of the look)."""
    x, y, w, h = region
    luma = shrink(SIDE, 12, y, h) @ luma_of(looks) @ shrink(SIDE, 12, x, w).T
    chroma = shrink(CHROMA, 6, y, h) @ chroma_of(looks) @ shrink(CHROMA, 6, x, w).T
    luma = luma.reshape(len(looks), 144)
    luma = luma - luma.mean(axis=1, keepdims=True)
    size = np.sqrt((luma**2).sum(axis=1, keepdims=True)) + 24
    chroma = chroma.reshape(len(looks), 72)
    found = np.hstack(
        [luma / size, 0.7 * chroma / (size / 2 + np.linalg.norm(chroma, axis=1, keepdims=True))]
    )
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(length, 1e-6), np.float32)


def shrink(n: int, m: int, start: float, extent: float) -> Floats:
    """(m, n): means over m equal parts of a stretch of n cells."""
    edges = (start + extent * np.arange(m + 1) / m) * n
    cells = np.arange(n)
    covered = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = np.clip(covered, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
