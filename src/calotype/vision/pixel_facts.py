"""Facts computed from pixels: hashes and a small thumbnail, and how similar they are."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

THUMB_SIDE_PX = 32
_FLAT_DEVIATION = 2.0
_PAIRS_AT_ONCE = 500


def pixel_sha256(rgb: Rgb) -> Rgb:
    """(32,) bytes: SHA-256 of size and pixels, equal for equal pixels under other encodings."""
    height, width = rgb.shape[:2]
    digest = hashlib.sha256(f"{width}x{height}:".encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def dhash64(grey: Image.Image) -> npt.NDArray[np.uint64]:
    """() uint64: which of 9 x 8 neighbouring cells of an image (mode L) gets lighter to the right.

    Source: the difference hash of N. Krawetz, "Kind of like that", 2013.
    """
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return np.packbits(bits).view(">u8").astype(np.uint64).reshape(())


def thumb32(grey: Image.Image) -> Rgb:
    """(32, 32) uint8: an image (mode L) stretched to a square."""
    return np.asarray(grey.resize((THUMB_SIDE_PX, THUMB_SIDE_PX), Image.Resampling.BOX), dtype=np.uint8)


def centred(thumbs: npt.NDArray[np.uint8]) -> Floats:
    """(N, 1024) float32 of (N, 32, 32) thumbnails: around their mean, of length 1; zeros for a flat one."""
    values = thumbs.reshape(len(thumbs), THUMB_SIDE_PX**2).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values))[:, None]
    flat = lengths < _FLAT_DEVIATION * THUMB_SIDE_PX
    return np.asarray(np.divide(values, lengths, out=np.zeros_like(values), where=~flat), np.float32)


def correlation(a: Floats, b: Floats) -> Floats:
    """(N,) likeness in [-1, 1] of pairs of thumbnails, as of `centred`; 0 where one is flat."""
    return np.asarray(np.einsum("ij,ij->i", a, b), np.float32)


def close_pairs(
    thumbs: npt.NDArray[np.uint8], pairs: npt.NDArray[np.int64], *, min_correlation: float, max_misfit: float
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Which of (P, 2) pairs of (N, 32, 32) thumbnails correlate, and differ nowhere by much once fitted; and their
    correlation."""
    values = centred(thumbs)
    places, alike = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        a, b = pairs[start : start + _PAIRS_AT_ONCE].T
        scores = correlation(values[a], values[b])
        close = np.flatnonzero(scores >= min_correlation)
        close = close[misfit(thumbs[a[close]], thumbs[b[close]]) <= max_misfit]
        places.append(start + close)
        alike.append(scores[close])
    return np.concatenate(places), np.concatenate(alike)


def misfit(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> Floats:
    """(N,) the difference between pairs of thumbnails, (N, 32, 32) each, after the best fit.

    The fit is of shift, stretch and light. The result is the largest difference at one place, as a share of
    the smaller deviation: small for a copy that was saved again, cropped by a percent or lightened; large
    where something in the scene moved. Infinite where one is flat.
    """
    if not len(a):
        return np.zeros(0, dtype=np.float32)
    x, y = _smooth(a), _smooth(b)
    across = np.linspace(-1.0, 1.0, THUMB_SIDE_PX)
    dy, dx = np.gradient(x, axis=1), np.gradient(x, axis=2)
    parts = [x, np.ones_like(x), dx, dy, dx * across[None, None, :], dy * across[None, :, None]]
    inner = slice(2, -2)
    basis = np.stack([part[:, inner, inner].reshape(len(x), -1) for part in parts], axis=2)
    wanted = y[:, inner, inner].reshape(len(y), -1)
    square = np.einsum("nki,nkj->nij", basis, basis) + 1e-6 * np.eye(len(parts))
    weights = np.linalg.solve(square, np.einsum("nki,nk->ni", basis, wanted)[..., None])
    rest = np.abs(wanted - (basis @ weights)[..., 0]).max(axis=1, initial=0.0)
    spread = np.minimum(wanted.std(axis=1), x[:, inner, inner].reshape(len(x), -1).std(axis=1))
    flat = spread < _FLAT_DEVIATION
    return np.asarray(np.where(flat, np.inf, rest / np.where(flat, 1.0, spread)), dtype=np.float32)


def _smooth(thumbs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Smoothed, so that gradients predict the effect of a small shift."""
    values = thumbs.astype(np.float64)
    for _ in range(3):
        for axis in (1, 2):
            pad = np.pad(values, [(0, 0), *((1, 1) if k == axis else (0, 0) for k in (1, 2))], mode="edge")
            before, here, after = (
                np.take(pad, range(k, k + values.shape[axis]), axis=axis) for k in range(3)
            )
            values = (before + 2 * here + after) / 4
    return values


def near_pairs(hashes: npt.NDArray[np.uint64], *, max_distance: int) -> npt.NDArray[np.int64]:
    """(K, 2) pairs i < j of hashes that differ in at most `max_distance` bits; all are compared, block by block."""
    bits = (
        np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
    )
    parts = []
    for start in range(0, len(bits), 2_048):
        dots = bits[start : start + 2_048] @ bits[start:].T
        i, j = np.nonzero(dots >= 64 - 2 * max_distance)
        keep = j > i
        parts.append(np.stack([i[keep] + start, j[keep] + start], axis=1))
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros((0, 2), dtype=np.int64)
