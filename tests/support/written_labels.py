"""Samples written by a format and read again, without a workspace: values in, values out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from PIL import Image

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Format, Written
from calotype.formats.fields import BadItem
from calotype.formats.notices import Notice
from calotype.tool_formats import shapes
from calotype.vision import masks
from calotype.vision.ontology import Class, Ontology

SIZE = (40, 30)
ONTOLOGY = Ontology(
    (
        Class(0, "cat"),
        Class(1, "dog"),
        Class(2, "person", keypoints=("nose", "left eye", "right eye"), skeleton=((0, 1), (0, 2))),
    )
)


def sample(name: str, *, split: str = "", size: tuple[int, int] = SIZE, tags: tuple[str, ...] = ()) -> Sample:
    return Sample(f"s:{name}", "0" * 64, name, *size, "image/png", 1, split=split, tags=tags)


def annotation(
    shape: shapes.Shape, *, of: str = "a.png", class_id: int = 0, at: int = 0, **more
) -> Annotation:
    return Annotation(
        f"ann{at}",
        f"s:{of}",
        shape.kind,
        class_id,
        shape.bbox_xywh_px,
        shape.rings_px,
        shape.mask_rle,
        shape.mask_size_hw,
        shape.keypoints_xyv,
        shape.area_px,
        **more,
    )


def write(
    format: Format,
    out: Path,
    items: Sequence[tuple[Sample, list[Annotation]]],
    *,
    ontology: Ontology = ONTOLOGY,
    images: bool = True,
) -> Written:
    """Write samples with their annotations and blank images into a folder."""

    def bring(one: Sample, target: Path | str) -> bool:
        if images:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (one.width_px, one.height_px)).save(target)
        return images

    def tables(columns: Sequence[str]) -> Iterator[tuple[list[Sample], pa.Table]]:
        raise NotImplementedError

    out.mkdir(parents=True, exist_ok=True)
    listed = [one for one, _ in items]
    return format.write(
        ExportSamples(ontology, lambda: iter(items), tables, bring, lambda one: one.name, listed), out
    )


def losses(written: Written) -> dict[str, int]:
    return {loss.what: loss.count for loss in written.losses}


def notices(format: Format, path: Path, *, images: Path | None = None) -> dict[str, int]:
    found: dict[str, int] = {}
    for source in format.open(path, images=images):
        warnings: Sequence[Notice] = source.warnings
        for notice in warnings:
            found[notice.code] = found.get(notice.code, 0) + notice.count
    return found


def _coordinates(side: int) -> st.SearchStrategy[float]:
    return st.integers(0, side * 8).map(lambda eighth: eighth / 8)


POINT = st.tuples(_coordinates(SIZE[0]), _coordinates(SIZE[1]))
_SIDE = st.integers(8, 80).map(lambda eighth: eighth / 8)
TURNED = st.builds(
    lambda at, w, h, angle: shapes.Turned(at[0], at[1], w, h, angle),
    POINT,
    _SIDE,
    _SIDE,
    st.integers(1, 359).map(float),
)
BOX = st.builds(lambda at, w, h: shapes.box(at[0], at[1], w, h), POINT, _SIDE, _SIDE)
ROTATED = TURNED.map(shapes.turned_box)
ELLIPSE = TURNED.map(shapes.ellipse)
POLYGON = st.lists(POINT, min_size=3, max_size=7, unique=True).map(lambda ring: shapes.polygon([ring]))
POLYLINE = st.lists(POINT, min_size=2, max_size=6).map(lambda line: shapes.polyline([line]))
POINTS = st.lists(POINT, min_size=1, max_size=4).map(shapes.points)
ONE_POINT = POINT.map(lambda at: shapes.points([at]))
CLASS = st.just(shapes.whole_image())


@st.composite
def mask_shapes(draw) -> shapes.Shape:
    width, height = SIZE
    inside = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(1, 4))):
        x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        inside[y : y + draw(st.integers(1, 9)), x : x + draw(st.integers(1, 9))] ^= True
    try:
        return shapes.mask(inside, (0, 0), SIZE)
    except BadItem:
        return shapes.mask(np.ones((1, 1)), (0, 0), SIZE)


@st.composite
def poses(draw) -> shapes.Shape:
    listed = draw(st.lists(st.tuples(POINT, st.sampled_from([0, 1, 2])), min_size=3, max_size=3))
    if not any(v for _, v in listed):
        listed[0] = (listed[0][0], 2)
    return shapes.pose((*at, v) for at, v in listed)


OF_KIND = {
    Kind.CLASSIFICATION: CLASS,
    Kind.BOX: BOX,
    Kind.ROTATED_BOX: ROTATED,
    Kind.ELLIPSE: ELLIPSE,
    Kind.POLYGON: POLYGON,
    Kind.POLYLINE: POLYLINE,
    Kind.POINT: POINTS,
    Kind.MASK: mask_shapes(),
    Kind.KEYPOINTS: poses(),
}


def pixels(a: Annotation) -> np.ndarray:
    assert a.mask_size_hw is not None
    return masks.decode(masks.from_string(a.mask_rle, a.mask_size_hw))


def same_shape(one: Annotation, other: Annotation, *, within: float = 1e-6) -> bool:
    """Whether two annotations have the same kind and geometry."""
    if one.kind is not other.kind or (one.mask_rle, one.mask_size_hw) != (other.mask_rle, other.mask_size_hw):
        return False
    numbers = [
        (one.bbox_xywh_px or (), other.bbox_xywh_px or ()),
        (one.keypoints_xyv, other.keypoints_xyv),
        *zip(one.rings_px, other.rings_px, strict=False),
    ]
    if len(one.rings_px) != len(other.rings_px) or any(len(a) != len(b) for a, b in numbers):
        return False
    return all(abs(x - y) <= within for a, b in numbers for x, y in zip(a, b, strict=True))
