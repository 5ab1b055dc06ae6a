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
_BOUNDS_AT_ONCE = 8_000
_COARSE_SIDE = 8
_ROUNDING = 1e-4
"""By which a bound of a correlation may be too low."""


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
    possible = _may_correlate(values, pairs, min_correlation)
    for start in range(0, len(possible), _PAIRS_AT_ONCE):
        some = possible[start : start + _PAIRS_AT_ONCE]
        scores = correlation(values[pairs[some, 0]], values[pairs[some, 1]])
        close = scores >= min_correlation
        some, scores = some[close], scores[close]
        used, at = np.unique(pairs[some], return_inverse=True)
        smooth, at = _smooth(thumbs[used]), at.reshape(-1, 2)
        fits = _misfit(smooth[at[:, 0]], smooth[at[:, 1]]) <= max_misfit
        places.append(some[fits])
        alike.append(scores[fits])
    return np.concatenate(places), np.concatenate(alike)


def _may_correlate(
    values: Floats, pairs: npt.NDArray[np.int64], min_correlation: float
) -> npt.NDArray[np.int64]:
    """Places of the (P, 2) pairs whose 8 x 8 means do not rule out that they correlate.

    The product of two rows is that of their means plus that of the rests, which is at most the product of the rests'
    lengths (Cauchy and Schwarz): one number more for each row, and no pair is lost.
    """
    cells = THUMB_SIDE_PX // _COARSE_SIDE
    means = values.reshape(len(values), _COARSE_SIDE, cells, _COARSE_SIDE, cells).sum(
        axis=(2, 4)
    ) / np.float32(cells)
    means = means.reshape(len(values), _COARSE_SIDE**2)
    rest = np.einsum("ij,ij->i", values, values) - np.einsum("ij,ij->i", means, means)
    bounds = np.hstack([means, np.sqrt(np.maximum(rest, 0))[:, None]])
    parts = [np.zeros(0, np.int64)]
    for start in range(0, len(pairs), _BOUNDS_AT_ONCE):
        a, b = pairs[start : start + _BOUNDS_AT_ONCE].T
        most = np.einsum("ij,ij->i", bounds[a], bounds[b])
        parts.append(start + np.flatnonzero(most >= min_correlation - _ROUNDING))
    return np.concatenate(parts)


def misfit(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> Floats:
    """(N,) the difference between pairs of thumbnails, (N, 32, 32) each, after the best fit.

    The fit is of shift, stretch and light. The result is the largest difference at one place, as a share of
    the smaller deviation: small for a copy that was saved again, cropped by a percent or lightened; large
    where something in the scene moved. Infinite where one is flat.
    """
    return _misfit(_smooth(a), _smooth(b))


def _misfit(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Floats:
    """The same of smoothed thumbnails."""
    if not len(x):
        return np.zeros(0, dtype=np.float32)
    across = np.linspace(-1.0, 1.0, THUMB_SIDE_PX)
    dy, dx = np.gradient(x, axis=1), np.gradient(x, axis=2)
    parts = [x, np.ones_like(x), dx, dy, dx * across[None, None, :], dy * across[None, :, None]]
    inner = slice(2, -2)
    basis = np.stack([part[:, inner, inner].reshape(len(x), -1) for part in parts], axis=1)
    wanted = y[:, inner, inner].reshape(len(y), -1)
    square = basis @ basis.transpose(0, 2, 1) + 1e-6 * np.eye(len(parts))
    weights = np.linalg.solve(square, basis @ wanted[..., None])
    rest = np.abs(wanted - (weights.transpose(0, 2, 1) @ basis)[:, 0]).max(axis=1, initial=0.0)
    spread = np.minimum(wanted.std(axis=1), basis[:, 0].std(axis=1))
    flat = spread < _FLAT_DEVIATION
    return np.asarray(np.where(flat, np.inf, rest / np.where(flat, 1.0, spread)), dtype=np.float32)


def _smooth(thumbs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Smoothed, so that gradients predict the effect of a small shift; exact, as the values are multiples of a
    power of 2."""
    return np.asarray(_SMOOTHING @ thumbs.astype(np.float64) @ _SMOOTHING.T)


def _smoothing() -> npt.NDArray[np.float64]:
    """(32, 32): three times a quarter, a half and a quarter of neighbours, the edge repeated."""
    once = np.zeros((THUMB_SIDE_PX, THUMB_SIDE_PX))
    rows = np.arange(THUMB_SIDE_PX)
    for step, share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
        np.add.at(once, (rows, np.clip(rows + step, 0, THUMB_SIDE_PX - 1)), share)
    return np.asarray(once @ once @ once)


_SMOOTHING = _smoothing()


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
