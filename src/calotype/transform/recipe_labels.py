"""Annotations moved with the pixels: every geometry that they have, clipped to what is still visible."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from calotype.datasets.model import Annotation
from calotype.transform.recipe import Keep
from calotype.transform.recipe_sampling import Segment
from calotype.transform.recipe_warp import Affine, warp_image
from calotype.vision import masks, polygons

OUTSIDE, BARELY_VISIBLE, TOO_SMALL = "outside", "barely-visible", "too-small"
_SIDES = re.compile(r"(left|right)|(?<![a-z])([lr])(?![a-z])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<![A-Za-z])([LR])(?=[A-Z][a-z])")
_SWAP = {"left": "right", "right": "left", "l": "r", "r": "l"}
_CUT = 1e-6

Swaps = Mapping[int, Sequence[int]]
"""Class id -> for each keypoint the one whose place it takes in a mirror."""


@dataclass(frozen=True, slots=True)
class _Moved:
    """An annotation on its way: `visible` is the share of its area that is left."""

    annotation: Annotation
    visible: float


def warp(
    annotation: Annotation, segments: Sequence[Segment], *, size_wh: tuple[int, int], keep: Keep, swaps: Swaps
) -> Annotation | str:
    """The annotation after all moves, or the reason why it went: outside, barely-visible, too-small.

    A classification stays whatever is cut off. `attributes["truncated"]` says that a part is lost; where the
    source gave a share (as KITTI does), the share grows.
    """
    if annotation.bbox_xywh_px is None:
        return replace(annotation, extra={})
    moved = _Moved(replace(annotation, extra={}), 1.0)
    for segment in segments:
        step = _through(moved.annotation, segment, size_wh)
        if step is None:
            return OUTSIDE
        moved = _Moved(step.annotation, moved.visible * step.visible)
        size_wh = segment.size_wh
    if moved.visible < keep.min_visible:
        return BARELY_VISIBLE
    box = moved.annotation.bbox_xywh_px
    if box is None or min(box[2:]) < keep.min_side_px:
        return TOO_SMALL
    mirrored = sum(segment.affine.det < 0 for segment in segments) % 2 == 1
    order = swaps.get(annotation.class_id) if mirrored else None
    made = _swapped(moved.annotation, order) if order else moved.annotation
    if moved.visible < 1.0 - _CUT:
        made = replace(made, attributes=_truncated(made.attributes, moved.visible))
    return made


def mirror_order(keypoints: Sequence[str]) -> tuple[int, ...] | None:
    """For each keypoint the index of its mirror image by name (left_eye, right_eye); None when none pair up.

    Example:
        >>> mirror_order(["nose", "left_eye", "right_eye"])
        (0, 2, 1)
    """
    index = {name: at for at, name in enumerate(keypoints)}
    order = tuple(index.get(_other_side(name), at) for at, name in enumerate(keypoints))
    unchanged = tuple(range(len(keypoints)))
    return order if order != unchanged and sorted(order) == list(unchanged) else None


def _other_side(name: str) -> str:
    def other(match: re.Match[str]) -> str:
        word = match.group()
        swapped = _SWAP[word.lower()]
        return swapped.upper() if word.isupper() else swapped.capitalize() if word[0].isupper() else swapped

    camel = _CAMEL.sub(other, name)
    return camel if camel != name else _SIDES.sub(other, name)


def _through(annotation: Annotation, segment: Segment, size_wh: tuple[int, int]) -> _Moved | None:
    """One segment: the annotation clipped to its canvas; None when nothing of it is left."""
    affine, (width, height) = segment.affine, segment.size_wh
    window = (0.0, 0.0, float(width), float(height))
    quad = affine.points(_corners(annotation)).ravel().tolist()
    box = polygons.clip_rings([quad], xyxy_px=window)
    changed: dict[str, Any] = {}
    bbox, visible = _seen_box(quad, box)
    if annotation.rings_px:
        whole_rings = [ring for ring in annotation.rings_px if polygons.ring_problem(ring) is None]
        rings = [affine.points(ring).ravel().tolist() for ring in whole_rings]
        clipped = polygons.clip_rings(rings, xyxy_px=window)
        whole = polygons.rings_area(rings)
        left = polygons.rings_area(clipped)
        visible = left / whole if whole > 0 else 0.0
        bbox = polygons.rings_bbox_xywh(clipped) if clipped else None
        changed = {"rings_px": clipped, "area_px": left}
    if annotation.mask_rle and annotation.mask_size_hw is not None:
        seen = _mask(annotation, segment, size_wh)
        if not annotation.rings_px or annotation.kind == "mask":
            bbox, visible = seen.bbox, seen.visible
            changed["area_px"] = seen.area
        changed |= {"mask_rle": seen.rle, "mask_size_hw": (height, width)}
    if bbox is None or visible <= 0.0:
        return None
    if "area_px" not in changed:
        changed["area_px"] = _area(annotation, bbox, abs(affine.det) * visible)
    if annotation.keypoints_xyv and len(annotation.keypoints_xyv) % 3 == 0:
        changed["keypoints_xyv"] = _keypoints(annotation.keypoints_xyv, affine, segment.size_wh)
    return _Moved(replace(annotation, bbox_xywh_px=bbox, **changed), visible)


def _corners(annotation: Annotation) -> list[tuple[float, float]]:
    x, y, w, h = annotation.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def _seen_box(
    quad: Sequence[float], clipped: Sequence[Sequence[float]]
) -> tuple[tuple[float, float, float, float] | None, float]:
    whole = polygons.ring_area(quad)
    if not clipped or whole <= 0.0:
        return None, 0.0
    return polygons.rings_bbox_xywh(clipped), min(1.0, polygons.rings_area(clipped) / whole)


@dataclass(frozen=True, slots=True)
class _SeenMask:
    rle: str
    bbox: tuple[float, float, float, float] | None
    area: float
    visible: float


def _mask(annotation: Annotation, segment: Segment, size_wh: tuple[int, int]) -> _SeenMask:
    """The mask resampled as the image is. What is visible is counted by the centres of its pixels."""
    size_hw = annotation.mask_size_hw or (size_wh[1], size_wh[0])
    before = masks.decode(masks.from_string(annotation.mask_rle, size_hw))
    affine = segment.affine
    if size_hw != (size_wh[1], size_wh[0]):
        affine = Affine(a=size_wh[0] / size_hw[1], e=size_wh[1] / size_hw[0]).then(affine)
    rows, columns = np.nonzero(before)
    if not rows.size:
        return _SeenMask(annotation.mask_rle, None, 0.0, 0.0)
    centres = affine.points(np.stack([columns + 0.5, rows + 0.5], axis=1))
    inside = ((centres >= 0) & (centres < segment.size_wh)).all(axis=1)
    grey = Image.fromarray(before.astype(np.uint8) * 255)
    after = np.asarray(warp_image(grey, affine, size_wh=segment.size_wh, fill=0)) >= 128
    rle = masks.encode(after)
    bbox = rle.bbox_xywh_px() if rle.area_px else None
    return _SeenMask(masks.to_string(rle), bbox, float(rle.area_px), float(inside.mean()))


def _area(annotation: Annotation, bbox: tuple[float, float, float, float], factor: float) -> float | None:
    """A box's own area follows the box; an area of something finer keeps its share."""
    if annotation.area_px is None or annotation.bbox_xywh_px is None:
        return annotation.area_px
    before = annotation.bbox_xywh_px[2] * annotation.bbox_xywh_px[3]
    if abs(annotation.area_px - before) <= 1e-6 * max(1.0, before):
        return bbox[2] * bbox[3]
    return annotation.area_px * factor


def _keypoints(xyv: Sequence[float], affine: Affine, size_wh: tuple[int, int]) -> tuple[float, ...]:
    """Keypoints moved; one that leaves the image, or was never labelled, is 0, 0, 0."""
    triples = np.asarray(xyv, dtype=np.float64).reshape(-1, 3)
    points = affine.points(triples[:, :2])
    inside = ((points >= 0) & (points <= size_wh)).all(axis=1) & (triples[:, 2] > 0)
    made = np.concatenate([points, triples[:, 2:]], axis=1) * inside[:, None]
    return tuple(float(value) for value in made.ravel())


def _swapped(annotation: Annotation, order: Sequence[int]) -> Annotation:
    triples = [annotation.keypoints_xyv[at : at + 3] for at in range(0, len(annotation.keypoints_xyv), 3)]
    if len(triples) != len(order):
        return annotation
    return replace(annotation, keypoints_xyv=tuple(value for at in order for value in triples[at]))


def _truncated(attributes: Mapping[str, Any], visible: float) -> dict[str, Any]:
    before = attributes.get("truncated")
    share = 1.0 - (1.0 - before) * visible if isinstance(before, float) and 0.0 <= before <= 1.0 else True
    return {**attributes, "truncated": share}
