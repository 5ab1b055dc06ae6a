"""Samples and annotations.

Coordinates are pixels of the upright image (EXIF orientation applied), origin at the top-left corner, continuous:
a pixel covers [i, i + 1), a box has an area of w * h, without "+1".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from calotype.foundation.errors import Invalid

MetadataValue = str | int | float | bool
_EMPTY: Mapping[str, Any] = MappingProxyType({})

DEFAULT_LABEL_SET = "ground_truth"


class SampleInvalid(Invalid):
    """A sample with an invalid value."""

    code = "sample-invalid"
    what = "invalid sample {name!r}: {detail}"
    fix = "correct the value at its source and import again"


class AnnotationInvalid(Invalid):
    """An annotation with an invalid value."""

    code = "annotation-invalid"
    what = "invalid annotation: {detail}"
    fix = "correct it at its source, or import with `--on-invalid quarantine` to quarantine invalid items"


class Kind(StrEnum):
    """The kind of an annotation, which is its richest geometry.

    A rotated box and an ellipse are held as the four corners of the rectangle around them, clockwise as seen, from the
    corner that is top-left when the angle is 0; a polyline and points as the points in their order.
    """

    CLASSIFICATION = "classification"
    BOX = "box"
    ROTATED_BOX = "rotated_box"
    POLYGON = "polygon"
    MASK = "mask"
    KEYPOINTS = "keypoints"
    POLYLINE = "polyline"
    ELLIPSE = "ellipse"
    POINT = "point"
    CAPTION = "caption"


WHOLE_IMAGE = frozenset({Kind.CLASSIFICATION, Kind.CAPTION})
"""Kinds that have no place in the image."""
RINGED = frozenset({Kind.POLYGON, Kind.ROTATED_BOX, Kind.ELLIPSE, Kind.POLYLINE, Kind.POINT})
"""Kinds whose points are in `rings_px`."""
CORNERED = frozenset({Kind.ROTATED_BOX, Kind.ELLIPSE})
"""Kinds that are held as four corners."""
AREAS = frozenset({Kind.BOX, Kind.ROTATED_BOX, Kind.POLYGON, Kind.MASK, Kind.ELLIPSE})
"""Kinds that cover an area."""


ATTRIBUTES = {
    "occluded": "true where something hides a part of it",
    "truncated": "true where it goes on beyond the edge of the image",
    "difficult": "true where it is hard to make out",
    "group_id": "number or text that annotations of one group share",
    "track_id": "number or text that one object keeps over the frames of a video",
    "text": "the words of a caption, or those that are read in a box",
    "angle_deg": "angle of a rotated box or ellipse in degrees, clockwise, as its source stated it",
}
"""Attributes that mean the same in every format. The metadata `video` and `frame` of a sample say which frame it is."""


class Split(StrEnum):
    """The usual splits; other names are allowed as plain strings."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


MAX_NAME = 4_096
"""Characters of the name of a sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a dataset.

    `name` is its path below the folder or label file it came from (posix, not normalised), unique in the dataset.
    `names` are all names under which the same bytes were added. `width_px` and `height_px` are those of the upright
    image. `parent_id` and `recipe` name the sample it was derived from and how; both are empty for an original.
    """

    sample_id: str
    media_sha256: str
    name: str
    width_px: int
    height_px: int
    mime: str
    n_bytes: int
    names: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    group: str = ""
    split: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, MetadataValue] = field(default_factory=lambda: _EMPTY)
    extra: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    parent_id: str = ""
    recipe: str = ""
    import_id: str = ""
    created_at_us: int = 0

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise SampleInvalid(name=self.name, detail=f"size {self.width_px}x{self.height_px} px")
        if not self.name or len(self.name) > MAX_NAME:
            detail = f"a name must have 1 to {MAX_NAME} characters"
            raise SampleInvalid(name=self.name[:80], detail=detail)

    @property
    def is_derived(self) -> bool:
        """Whether the sample was derived from another sample by a recipe."""
        return bool(self.parent_id)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One labelled thing on one sample.

    Attributes:
        bbox_xywh_px: Left, top, width, height; None for a classification of the whole image.
        rings_px: Rings, each flat x1, y1, x2, y2, ...: the parts of a polygon (not holes) or of a polyline, the points
            of a point, and one ring of four corners of a rotated box or of the rectangle around an ellipse.
        mask_rle: Column-major run lengths as a COCO counts string, with `mask_size_hw`.
        keypoints_xyv: Flat x, y, v triples; v is 0 (not labelled), 1 (hidden) or 2 (visible).
        area_px: Area as given by the source, else computed from the geometry; None for a classification.
        score: Confidence in [0, 1] of a model prediction.
        source_id: The id in its source file, kept for round trips.
        attributes: Names and values. `ATTRIBUTES` lists those that mean the same in every format.
        extra: Keys of the source without a field of their own, kept for round trips.
    """

    ann_id: str
    sample_id: str
    kind: Kind
    class_id: int
    bbox_xywh_px: tuple[float, float, float, float] | None = None
    rings_px: tuple[tuple[float, ...], ...] = ()
    mask_rle: str = ""
    mask_size_hw: tuple[int, int] | None = None
    keypoints_xyv: tuple[float, ...] = ()
    area_px: float | None = None
    score: float | None = None
    iscrowd: bool = False
    attributes: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    extra: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    source_id: str = ""
    author: str = ""
    import_id: str = ""
    created_at_us: int = 0

    def __post_init__(self) -> None:
        for value in self.bbox_xywh_px or ():
            if not math.isfinite(value):
                raise AnnotationInvalid(detail=f"box {self.bbox_xywh_px} has a value that is not finite")
        if self.kind not in WHOLE_IMAGE and self.bbox_xywh_px is None:
            raise AnnotationInvalid(detail=f"a {self.kind} needs a bounding box")
        if self.kind in RINGED and not self.rings_px:
            raise AnnotationInvalid(detail=f"a {self.kind} without points")
        if self.kind in CORNERED and (len(self.rings_px) != 1 or len(self.rings_px[0]) != 8):
            raise AnnotationInvalid(detail=f"a {self.kind} needs the four corners of one rectangle")
        if self.kind is Kind.CAPTION and not isinstance(self.attributes.get("text"), str):
            raise AnnotationInvalid(detail="a caption without a text")
        if self.kind is Kind.MASK and (not self.mask_rle or self.mask_size_hw is None):
            raise AnnotationInvalid(detail="a mask without run lengths or size")
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise AnnotationInvalid(detail=f"score {self.score} is outside 0 to 1")
