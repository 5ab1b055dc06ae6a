"""Masks and polygons of annotations, drawn at a reduced size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.vision import corners, masks, polygons


def rle_of(shape: Mapping[str, Any]) -> masks.Rle:
    """The run lengths of a mask. Raises: RleInvalid."""
    size_hw = (int(shape["mask_h"] or 0), int(shape["mask_w"] or 0))
    return masks.from_string(shape["mask_rle"] or "", size_hw)


def mask_problem(shape: Mapping[str, Any]) -> str:
    """Why a mask shows nothing: it cannot be read, or no pixel is set; empty if it shows something."""
    try:
        rle = rle_of(shape)
    except masks.RleInvalid as error:
        return error.message
    return "" if rle.area_px else "no pixel of the mask is set"


def patch_of(
    shape: Mapping[str, Any], image_wh: tuple[int, int], size_hw: tuple[int, int]
) -> tuple[int, int, npt.NDArray[np.bool_]] | None:
    """An annotation drawn on an image of another size: left, top, and (h, w) bool from there on.

    The whole mask is never unpacked: its run lengths are looked up where the small pixels have their centres.

    Args:
        shape: Values of kind, x, y, w, h, rings, mask_rle, mask_h, mask_w.
        image_wh: The size of the image that polygons and boxes are drawn on. Shapes without an area are not drawn.
        size_hw: The requested size.
    Returns: None where nothing remains of it, or it cannot be read.
    """
    scale = np.asarray([size_hw[1] / image_wh[0], size_hw[0] / image_wh[1]])
    if shape["kind"] == "mask":
        return _of_mask(shape, size_hw)
    if shape["kind"] in ("polygon", "rotated_box", "ellipse"):
        rings = corners.outline_rings(shape["kind"], shape["rings"] or ())
        if not rings or any(polygons.ring_problem(ring) for ring in rings):
            return None
        scaled = [(np.asarray(ring, np.float64).reshape(-1, 2) * scale) for ring in rings]
    else:
        box = [shape[name] for name in "xywh"]
        if any(value is None or not np.isfinite(value) for value in box):
            return None
        x, y, w, h = box
        scaled = [np.asarray([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) * scale]
    points = np.concatenate(scaled)
    size = np.asarray(size_hw[::-1])
    low = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(int)
    if (high <= low).any():
        return None
    moved = [tuple((ring - low).ravel().tolist()) for ring in scaled]
    mask = polygons.rasterise(moved, size_hw=(int(high[1] - low[1]), int(high[0] - low[0])))
    return (int(low[0]), int(low[1]), mask) if mask.any() else None


def _of_mask(
    shape: Mapping[str, Any], size_hw: tuple[int, int]
) -> tuple[int, int, npt.NDArray[np.bool_]] | None:
    try:
        rle = rle_of(shape)
    except masks.RleInvalid:
        return None
    height, width = rle.size_hw
    x, y, w, h = rle.bbox_xywh_px()
    columns, rows = (
        _centres(int(size), whole, int(start), int(length))
        for size, whole, start, length in ((size_hw[1], width, x, w), (size_hw[0], height, y, h))
    )
    if not len(columns[0]) or not len(rows[0]):
        return None
    places = columns[1][None] * height + rows[1][:, None]
    ends = np.cumsum(np.asarray(rle.counts, np.int64))
    mask = np.searchsorted(ends, places, side="right") % 2 == 1
    return (int(columns[0][0]), int(rows[0][0]), mask) if mask.any() else None


def _centres(
    size: int, whole: int, start: int, length: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Small pixels whose centres lie in a stretch of large ones, and in which of these."""
    samples = np.floor((np.arange(size) + 0.5) * whole / size).astype(np.int64)
    inside = np.flatnonzero((samples >= start) & (samples < start + length))
    return inside, samples[inside]
