"""What is computed of an image's pixels: hashes, a small thumbnail, and figures of quality. NumPy in, NumPy out."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

THUMB_SIDE_PX = 16
QUALITY = ("luma", "contrast", "sharpness", "dark_fraction", "bright_fraction")
"""Order of the figures in a quality vector."""

_SHARPNESS_SIDE_PX = 768


def pixel_sha256(rgb: Rgb) -> Rgb:
    """(32,) bytes: SHA-256 of size and pixels, equal for equal pixels under other encodings."""
    height, width = rgb.shape[:2]
    digest = hashlib.sha256(f"{width}x{height}:".encode() + np.ascontiguousarray(rgb).tobytes()).digest()
    return np.frombuffer(digest, dtype=np.uint8)


def dhash64(rgb: Rgb) -> npt.NDArray[np.uint64]:
    """() uint64: which of 9 x 8 neighbouring cells gets lighter to the right.

    Source: the difference hash of N. Krawetz, "Kind of like that", 2013.
    """
    cells = np.asarray(Image.fromarray(rgb).convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return np.packbits(bits).view(">u8").astype(np.uint64).reshape(())


def thumb16(rgb: Rgb) -> Rgb:
    """(16, 16, 3) uint8: the whole image, stretched to a square."""
    size = (THUMB_SIDE_PX, THUMB_SIDE_PX)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX), dtype=np.uint8)


def quality(rgb: Rgb) -> Floats:
    """(5,) float32 in [0, 1] as `QUALITY`: mean luma, its standard deviation, sharpness, share of dark and bright.

    Sharpness is the mean step between pixels one apart over that between pixels four apart, along the strongest
    steps: near 1 where edges are crisp, 0.25 where the image is nothing but smooth ramps (out of focus).
    """
    grey = Image.fromarray(rgb).convert("L")
    luma = np.asarray(grey, dtype=np.float32) / 255.0
    small = grey
    if max(grey.size) > _SHARPNESS_SIDE_PX:
        scale = _SHARPNESS_SIDE_PX / max(grey.size)
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        small = grey.resize(size, Image.Resampling.BOX)
    figures = [
        luma.mean(),
        luma.std(),
        _sharpness(np.asarray(small, dtype=np.float32)),
        (luma < 0.06).mean(),
        (luma > 0.97).mean(),
    ]
    return np.asarray(figures, dtype=np.float32)


def _sharpness(grey: Floats) -> float:
    ratios = []
    for image in (grey, grey.T):
        if image.shape[1] < 9:
            continue
        wide = np.abs(image[:, 4:] - image[:, :-4])
        steps = [
            np.abs(image[:, k + 1 : image.shape[1] - 3 + k] - image[:, k : image.shape[1] - 4 + k])
            for k in range(4)
        ]
        strong = wide >= max(8.0, float(np.quantile(wide, 0.98)))
        if strong.any():
            ratios.append(float(np.max(steps, axis=0)[strong].mean() / wide[strong].mean()))
    return min(1.0, max(ratios)) if ratios else 1.0  # nothing to judge by: a flat image is not called blurred


def correlation(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> Floats:
    """(N,) likeness in [-1, 1] of pairs of thumbnails, (N, 16, 16, 3) each; 0 where one is flat.

    Colour by colour means are taken off, so a lighter copy stays alike.
    """
    x = a.reshape(len(a), -1, 3).astype(np.float32)
    y = b.reshape(len(b), -1, 3).astype(np.float32)
    x -= x.mean(axis=1, keepdims=True)
    y -= y.mean(axis=1, keepdims=True)
    norm = np.sqrt((x**2).sum(axis=(1, 2)) * (y**2).sum(axis=(1, 2)))
    dot = (x * y).sum(axis=(1, 2))
    flat = norm < 4.0 * x[0].size if len(x) else np.zeros(0, dtype=bool)
    return np.asarray(np.where(flat, 0.0, dot / np.where(flat, 1.0, norm)), dtype=np.float32)


def near_pairs(hashes: npt.NDArray[np.uint64], *, max_distance: int) -> npt.NDArray[np.int64]:
    """(K, 2) pairs i < j of hashes that differ in at most so many bits; all pairs are compared, block by block."""
    bits = (
        np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
    )
    found = []
    for start in range(0, len(bits), 2_048):
        dots = bits[start : start + 2_048] @ bits[start:].T
        i, j = np.nonzero(dots >= 64 - 2 * max_distance)
        keep = j > i
        found.append(np.stack([i[keep] + start, j[keep] + start], axis=1))
    return np.concatenate(found).astype(np.int64) if found else np.zeros((0, 2), dtype=np.int64)
