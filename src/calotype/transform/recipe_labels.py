"""Warps annotations with the pixels: every geometry that they have, clipped to the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from calotype.datasets.model import Annotation
from calotype.transform.recipe import Keep
from calotype.transform.recipe_rings import side_px, warp_rings
from calotype.transform.recipe_sampling import Segment
from calotype.transform.recipe_warp import Affine, warp_image
from calotype.vision import masks, polygons

OUTSIDE, BARELY_VISIBLE, TOO_SMALL = "outside", "barely-visible", "too-small"
_VISIBLE_TOLERANCE = 1e-6

Swaps = Mapping[int, Sequence[int]]
"""Class id -> for each keypoint, the index of its mirror image."""


@dataclass(frozen=True, slots=True)
class _Warped:
    """An annotation after some segments. `visible` is the share of its area that is still inside the image."""

    annotation: Annotation
    visible: float


def warp(
    annotation: Annotation, segments: Sequence[Segment], *, size_wh: tuple[int, int], keep: Keep, swaps: Swaps
) -> Annotation | str:
    """The annotation after all segments, or the reason to drop it: outside, barely-visible, too-small.

    A classification and a caption are always kept. `attributes["truncated"]` is set when a part is outside the image;
    where the source gave the share outside (as KITTI does), the share grows.
    """
    if annotation.bbox_xywh_px is None:
        return replace(annotation, extra={})
    warped = _Warped(replace(annotation, extra={}), 1.0)
    for segment in segments:
        step = _warp_once(warped.annotation, segment, size_wh)
        if step is None:
            return OUTSIDE
        warped = _Warped(step.annotation, warped.visible * step.visible)
        size_wh = segment.size_wh
    if warped.visible < keep.min_visible:
        return BARELY_VISIBLE
    if side_px(warped.annotation) < keep.min_side_px:
        return TOO_SMALL
    mirrored = sum(segment.affine.det < 0 for segment in segments) % 2 == 1
    order = swaps.get(annotation.class_id) if mirrored else None
    result = _swap_keypoints(warped.annotation, order) if order else warped.annotation
    if warped.visible < 1.0 - _VISIBLE_TOLERANCE:
        result = replace(result, attributes=_truncated(result.attributes, warped.visible))
    return result


def _warp_once(annotation: Annotation, segment: Segment, size_wh: tuple[int, int]) -> _Warped | None:
    """The annotation after one segment, clipped to its canvas; None when it is outside."""
    affine, (width, height) = segment.affine, segment.size_wh
    window = (0.0, 0.0, float(width), float(height))
    changed: dict[str, Any] = {}
    shape = warp_rings(annotation, affine, window) if annotation.rings_px else None
    if annotation.rings_px and shape is None and annotation.kind != "mask":
        return None
    after = annotation if shape is None else shape.annotation
    if shape is not None:
        bbox, visible = after.bbox_xywh_px, shape.visible
    elif annotation.rings_px:
        after, bbox, visible = replace(annotation, rings_px=()), None, 0.0
    else:
        quad = affine.points(_corners(annotation)).ravel().tolist()
        bbox, visible = _visible_box(quad, polygons.clip_rings([quad], xyxy_px=window))
    if annotation.mask_rle and annotation.mask_size_hw is not None:
        mask = _warp_mask(annotation, segment, size_wh)
        if not annotation.rings_px or annotation.kind == "mask":
            bbox, visible = mask.bbox, mask.visible
            changed["area_px"] = mask.area_px
        changed |= {"mask_rle": mask.rle, "mask_size_hw": (height, width)}
    if bbox is None or visible <= 0.0:
        return None
    if shape is None and "area_px" not in changed:
        changed["area_px"] = _warp_area(annotation, bbox, abs(affine.det) * visible)
    if annotation.keypoints_xyv and len(annotation.keypoints_xyv) % 3 == 0:
        changed["keypoints_xyv"] = _warp_keypoints(annotation.keypoints_xyv, affine, segment.size_wh)
    return _Warped(replace(after, bbox_xywh_px=bbox, **changed), visible)


def _corners(annotation: Annotation) -> list[tuple[float, float]]:
    x, y, w, h = annotation.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def _visible_box(
    quad: Sequence[float], clipped: Sequence[Sequence[float]]
) -> tuple[tuple[float, float, float, float] | None, float]:
    full_area = polygons.ring_area(quad)
    if not clipped or full_area <= 0.0:
        return None, 0.0
    return polygons.rings_bbox_xywh(clipped), min(1.0, polygons.rings_area(clipped) / full_area)


@dataclass(frozen=True, slots=True)
class _WarpedMask:
    rle: str
    bbox: tuple[float, float, float, float] | None
    area_px: float
    visible: float


def _warp_mask(annotation: Annotation, segment: Segment, size_wh: tuple[int, int]) -> _WarpedMask:
    """The mask resampled as the image is. The visible share is counted by the centres of its pixels."""
    size_hw = annotation.mask_size_hw or (size_wh[1], size_wh[0])
    before = masks.decode(masks.from_string(annotation.mask_rle, size_hw))
    affine = segment.affine
    if size_hw != (size_wh[1], size_wh[0]):
        affine = Affine(a=size_wh[0] / size_hw[1], e=size_wh[1] / size_hw[0]).then(affine)
    rows, columns = np.nonzero(before)
    if not rows.size:
        return _WarpedMask(annotation.mask_rle, None, 0.0, 0.0)
    centres = affine.points(np.stack([columns + 0.5, rows + 0.5], axis=1))
    inside = ((centres >= 0) & (centres < segment.size_wh)).all(axis=1)
    grey = Image.fromarray(before.astype(np.uint8) * 255)
    after = np.asarray(warp_image(grey, affine, size_wh=segment.size_wh, fill=0)) >= 128
    rle = masks.encode(after)
    bbox = rle.bbox_xywh_px() if rle.area_px else None
    return _WarpedMask(masks.to_string(rle), bbox, float(rle.area_px), float(inside.mean()))


def _warp_area(
    annotation: Annotation, bbox: tuple[float, float, float, float], factor: float
) -> float | None:
    """An area equal to the box's follows the box; any other area is multiplied by `factor`."""
    if annotation.area_px is None or annotation.bbox_xywh_px is None:
        return annotation.area_px
    before = annotation.bbox_xywh_px[2] * annotation.bbox_xywh_px[3]
    if abs(annotation.area_px - before) <= 1e-6 * max(1.0, before):
        return bbox[2] * bbox[3]
    return annotation.area_px * factor


def _warp_keypoints(xyv: Sequence[float], affine: Affine, size_wh: tuple[int, int]) -> tuple[float, ...]:
    """Warped keypoints; one that is outside the image or not labelled becomes 0, 0, 0."""
    triples = np.asarray(xyv, dtype=np.float64).reshape(-1, 3)
    points = affine.points(triples[:, :2])
    inside = ((points >= 0) & (points <= size_wh)).all(axis=1) & (triples[:, 2] > 0)
    warped = np.concatenate([points, triples[:, 2:]], axis=1) * inside[:, None]
    return tuple(float(value) for value in warped.ravel())


def _swap_keypoints(annotation: Annotation, order: Sequence[int]) -> Annotation:
    triples = [
        annotation.keypoints_xyv[start : start + 3] for start in range(0, len(annotation.keypoints_xyv), 3)
    ]
    if len(triples) != len(order):
        return annotation
    return replace(annotation, keypoints_xyv=tuple(value for index in order for value in triples[index]))


def _truncated(attributes: Mapping[str, Any], visible: float) -> dict[str, Any]:
    before = attributes.get("truncated")
    share = 1.0 - (1.0 - before) * visible if isinstance(before, float) and 0.0 <= before <= 1.0 else True
    return {**attributes, "truncated": share}
