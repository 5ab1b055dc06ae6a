"""A YOLO set opened: its images as columns, its rows as numbers, and its annotations window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pyarrow as pa

from calotype.datasets import rows as arrow_rows
from calotype.datasets.model import Kind
from calotype.formats.image_files import ImageFile, image_file
from calotype.formats.notices import Loss, Notice
from calotype.formats.windows import DeclaredClass, ImageColumns, LabelIndex, Problem, Window, no_images
from calotype.trainer_formats.yolo import shapes
from calotype.trainer_formats.yolo.config import Config
from calotype.trainer_formats.yolo.label_text import Floats, Ints, Rows
from calotype.trainer_formats.yolo.shapes import Form, Judged
from calotype.vision.ring_arrays import RingArrays

_WINDOW_ROWS = 50_000
_KINDS = {
    Form.BOX: Kind.BOX,
    Form.POLYGON: Kind.POLYGON,
    Form.POSE: Kind.KEYPOINTS,
    Form.ORIENTED: Kind.ROTATED_BOX,
}


@dataclass(frozen=True)
class Labels:
    """The rows that can be imported.

    Attributes:
        rows: All rows of the label files.
        chosen: (N,) positions in `rows` of those that can be imported.
        images: (N,) position of the image of each.
        judged: What each of `rows` is.
        names: Label files, as places show them, by the number that `rows.files` gives.
    """

    rows: Rows
    chosen: Ints
    images: Ints
    judged: Judged
    names: Sequence[str]


class YoloSource:
    """The label files of a folder as a `LabelSource`."""

    losses: tuple[Loss, ...] = ()

    def __init__(
        self,
        file: str,
        config: Config,
        images: ImageColumns,
        paths: Sequence[str],
        labels: Labels,
        found: tuple[Sequence[Problem], Sequence[Notice]],
    ) -> None:
        self.file = file
        self.images = images
        self.problems, self.warnings = found
        self.classes = [_declared(config, number) for number in sorted(config.names)]
        self.info: dict[str, Any] = {}
        self.index = LabelIndex(
            file,
            np.arange(len(images)),
            images.widths.astype(np.int64),
            images.heights.astype(np.int64),
            dict(config.names),
        )
        self._config = config
        self._labels = labels
        self._paths = paths

    def locate(self, start: int, stop: int) -> Iterator[ImageFile | None]:
        """The file of each of the images at these positions, None where it has vanished."""
        return (image_file(path) for path in self._paths[start:stop])

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The annotations, in the order of their files and lines."""
        for start in range(0, len(self._labels.chosen), _WINDOW_ROWS):
            yield self._window(slice(start, start + _WINDOW_ROWS))

    def sizes_found(self, found_wh: Ints) -> None:
        """Nothing: the labels are shares of the images' own sizes, which were read when the source was opened."""

    def release_images(self) -> None:
        """Free the memory of `images`."""
        self.images = no_images()
        self._paths = []

    def _window(self, part: slice) -> Window:
        labels = self._labels
        at, image = labels.chosen[part], labels.images[part]
        category = labels.rows.values[labels.rows.starts[at]].astype(np.int64)
        sizes = np.stack([self.index.widths[image], self.index.heights[image]], axis=1).astype(np.float64)
        return Window(
            self.file,
            image,
            category,
            pa.nulls(len(at), pa.int64()),
            _columns(labels, at, sizes, self._config),
            places=_Places(labels, at),
        )


class _Places(Sequence[str]):
    """The place of each row, made when it is asked for."""

    def __init__(self, labels: Labels, at: Ints) -> None:
        self._labels = labels
        self._at = at

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return place_of(self._labels.rows, self._labels.names, int(self._at[at]))


def place_of(rows: Rows, names: Sequence[str], at: int) -> str:
    """File and line of a row."""
    return f"{names[rows.files[at]]}:{rows.lines[at]}"


def _declared(config: Config, number: int) -> DeclaredClass:
    extra = {"flip_idx": list(config.flip_idx)} if config.flip_idx else {}
    return DeclaredClass(config.names[number], number, keypoints=config.points_of(number), extra=extra)


def _columns(labels: Labels, at: Ints, sizes_wh: Floats, config: Config) -> dict[str, pa.Array]:
    """The drawn columns of some rows. Coordinates become pixels."""
    n, forms = len(at), labels.judged.forms[at]
    boxes = np.zeros((n, 4))
    areas = np.zeros(n)
    scaled = np.hstack([sizes_wh, sizes_wh])
    with_box = np.flatnonzero((forms == Form.BOX) | (forms == Form.POSE))
    shares, _ = shapes.boxes_of(
        labels.rows.values[labels.rows.starts[at[with_box]][:, None] + np.arange(1, 5)]
    )
    boxes[with_box] = shares * scaled[with_box]
    areas[with_box] = boxes[with_box, 2] * boxes[with_box, 3]
    columns = {"rings": pa.nulls(n, _type("rings")), "keypoints": pa.nulls(n, _type("keypoints"))}
    ringed = np.flatnonzero((forms == Form.POLYGON) | (forms == Form.ORIENTED))
    if len(ringed):
        rings = _rings(labels, at[ringed], sizes_wh[ringed], forms[ringed] == Form.ORIENTED)
        bounds = rings.bounds_xyxy
        boxes[ringed] = np.hstack([bounds[:, :2], bounds[:, 2:] - bounds[:, :2]])
        areas[ringed] = rings.areas_px2
        inner = pa.ListArray.from_arrays(pa.array(rings.starts, pa.int32()), pa.array(rings.coordinates_px))
        columns["rings"] = _spread(inner, ringed, n)
    posed = np.flatnonzero(forms == Form.POSE)
    if len(posed) and config.keypoints is not None:
        points = _keypoints(labels, at[posed], sizes_wh[posed], config.keypoints)
        flat = pa.array(points.reshape(-1))
        offsets = pa.array(np.arange(len(posed) + 1) * points.shape[1] * 3, pa.int32())
        place = np.full(n, -1)
        place[posed] = np.arange(len(posed))
        columns["keypoints"] = pa.ListArray.from_arrays(offsets, flat).take(_indices(place))
    columns |= {name: pa.array(boxes[:, side]) for side, name in enumerate("xywh")}
    names = pa.array(["", *(str(_KINDS[form]) for form in list(Form)[1:])])
    columns |= {"kind": names.take(pa.array(forms)), "area_px": pa.array(areas)}
    scored = labels.judged.scored[at]
    last = labels.rows.values[labels.rows.starts[1:][at] - 1]
    columns["score"] = pa.array(np.where(scored, last, 0.0), mask=~scored)
    return _filled(columns, n)


def _filled(columns: dict[str, pa.Array], n: int) -> dict[str, pa.Array]:
    """All drawn columns, those that label files of this format never give included."""
    given = {"mask_rle": pa.repeat("", n), "iscrowd": pa.repeat(False, n)}
    given |= {name: pa.repeat("", n) for name in ("attributes", "extra")}
    given |= columns
    return {
        field.name: given[field.name] if field.name in given else pa.nulls(n, field.type)
        for field in arrow_rows.DRAWN_FIELDS
    }


def _type(name: str) -> pa.DataType:
    return arrow_rows.ANNOTATION_SCHEMA.field(name).type


def _spread(inner: pa.Array, ringed: Ints, n: int) -> pa.Array:
    """Lists of one ring each for the rows that have one, null for the others."""
    has_ring = np.zeros(n, bool)
    has_ring[ringed] = True
    offsets = np.append(0, np.cumsum(has_ring)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, mask=np.append(~has_ring, False)), inner)


def _indices(place: Ints) -> pa.Array:
    return pa.array(place, mask=place < 0)


def _rings(labels: Labels, at: Ints, sizes_wh: Floats, are_oriented: np.ndarray[Any, Any]) -> RingArrays:
    values, starts = shapes.ring_values(labels.rows, at, labels.judged.scored[at])
    row = np.repeat(np.arange(len(at)), np.diff(starts))
    values = np.where(labels.judged.beyond[at][row], values, np.clip(values, 0.0, 1.0))
    values *= sizes_wh[row, np.arange(len(values)) % 2]
    turned = np.flatnonzero(are_oriented)
    if len(turned):  # clockwise as seen, from the corner that the file gives first
        place = starts[turned][:, None] + np.arange(8)
        corners = values[place].reshape(-1, 4, 2)
        x, y = corners[..., 0], corners[..., 1]
        signed = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
        corners[signed < 0] = corners[signed < 0][:, [0, 3, 2, 1]]
        values[place] = corners.reshape(-1, 8)
    return RingArrays(values, starts)


def _keypoints(labels: Labels, at: Ints, sizes_wh: Floats, shape: tuple[int, int]) -> Floats:
    """(N, K, 3) pixels and visibility; a point outside the image, not labelled, is 0, 0, 0. A confidence counts as
    seen from 0.5 on."""
    points = shapes.keypoints_of(labels.rows, at, shape).copy()
    inside = np.clip(points[..., :2], 0.0, 1.0)
    far = (np.abs(points[..., :2] - inside) > shapes.SLACK).any(axis=2)
    points[..., :2] = inside * sizes_wh[:, None, :]
    seen = points[..., 2]
    scored = labels.judged.scored[at][:, None]
    points[..., 2] = np.where(scored & (seen > 0) & (seen < 1), np.where(seen >= 0.5, 2.0, 0.0), seen)
    points[far] = 0.0
    return points
