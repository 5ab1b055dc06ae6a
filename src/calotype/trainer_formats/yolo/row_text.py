"""The rows of label files as text: one form of row for a whole set, values between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import Kind, Sample
from calotype.formats.notices import MAX_EXAMPLES, Losses
from calotype.trainer_formats.yolo.joined_rings import joined
from calotype.vision import masks, polygons

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
COLUMNS = ("kind", "x", "y", "w", "h", "rings", "mask_rle", "mask_h", "mask_w", "keypoints", "iscrowd")
_VISIBLE_PX = 1e-3
"""Overshoot that is reported; what is less is rounding."""
_ELLIPSE_CORNERS = 36
_LEFT_OUT = frozenset({Kind.CLASSIFICATION, Kind.CAPTION, Kind.POINT, Kind.POLYLINE})
_CLIPPED = "part of a shape beyond the edge of the image (clipped)"
_NO_AREA = "annotation without area inside the image (left out)"
_CROWD = "iscrowd of an annotation (a trainer learns it as one object)"


class RowForm(StrEnum):
    """The form of all rows of a set, by the name that trainers have for the task."""

    DETECT = "detect"
    SEGMENT = "segment"
    POSE = "pose"
    OBB = "obb"


def form_of(kinds: Iterable[str]) -> RowForm:
    """The form that keeps most of these kinds of annotations."""
    present = set(kinds)
    if Kind.KEYPOINTS in present:
        return RowForm.POSE
    if present & {Kind.POLYGON, Kind.MASK}:
        return RowForm.SEGMENT
    return RowForm.OBB if Kind.ROTATED_BOX in present else RowForm.DETECT


@dataclass(frozen=True)
class RowWriter:
    """Writes the rows of one set.

    Attributes:
        n_points: Keypoints of a row of a pose.
        numbers: Class id -> number in the files.
    """

    form: RowForm
    n_points: int
    numbers: dict[int, int]
    losses: Losses

    def texts(self, samples: Sequence[Sample], table: pa.Table) -> list[str]:
        """The row of each annotation; empty where it is left out. `table` has `COLUMNS`, `class_id`, `sample_id`."""
        return _Chunk(self, samples, table).texts()


class _Chunk:
    """Some thousand samples with the columns of their annotations."""

    def __init__(self, writer: RowWriter, samples: Sequence[Sample], table: pa.Table) -> None:
        self.form, self.n_points, self.losses = writer.form, writer.n_points, writer.losses
        self.samples, self.table = samples, table
        ids = pa.array([sample.sample_id for sample in samples], pa.string())
        self.place = pc.index_in(table["sample_id"], value_set=ids).to_numpy()
        self.width = np.array([sample.width_px for sample in samples], np.float64)[self.place]
        self.height = np.array([sample.height_px for sample in samples], np.float64)[self.place]
        self.kinds = np.array(table["kind"].to_pylist(), object)
        numbers = {class_id: str(number) for class_id, number in writer.numbers.items()}
        self.classes = [numbers[class_id] for class_id in table["class_id"].to_pylist()]

    def texts(self) -> list[str]:
        n = len(self.table)
        crowd = self.table["iscrowd"].fill_null(False).to_numpy().astype(bool)
        left_out = np.isin(self.kinds, [str(kind) for kind in _LEFT_OUT])
        for kind in sorted(set(self.kinds[left_out])):
            self._lose(f"annotation of kind {kind}", self.kinds == kind)
        self._lose(_CROWD, crowd & ~left_out)
        kept = ~left_out
        drawn = self._drawn_by_itself() & kept
        texts = [""] * n
        self._write_boxes(texts, np.flatnonzero(kept & ~drawn))
        columns = self.table.filter(pa.array(drawn)) if drawn.any() else None
        if columns is not None:
            write = {RowForm.POSE: self._pose, RowForm.OBB: self._corners}.get(self.form, self._polygon)
            for at, row in zip(np.flatnonzero(drawn).tolist(), columns.to_pylist(), strict=True):
                texts[at] = write(at, row)
        return texts

    def _drawn_by_itself(self) -> Bools:
        """Annotations whose row is more than their box."""
        own = {
            RowForm.POSE: [Kind.KEYPOINTS],
            RowForm.OBB: [Kind.ROTATED_BOX, Kind.ELLIPSE],
            RowForm.SEGMENT: [Kind.POLYGON, Kind.MASK, Kind.ROTATED_BOX, Kind.ELLIPSE],
            RowForm.DETECT: [],
        }[self.form]
        drawn: Bools = np.isin(self.kinds, [str(kind) for kind in own])
        plain = {str(Kind.BOX), *map(str, _LEFT_OUT)}
        for kind in sorted(set(self.kinds) - plain - set(map(str, own))):
            self._lose(f"shape of a {kind} (its box is kept)", self.kinds == kind)
        return drawn

    def _lose(self, what: str, which: Bools) -> None:
        at = np.flatnonzero(which)
        for place in self.place[at[:MAX_EXAMPLES]].tolist():
            self.losses.add(what, self.samples[place].name)
        self.losses.add(what, n=max(0, len(at) - MAX_EXAMPLES))

    def _lose_one(self, what: str, at: int) -> None:
        self.losses.add(what, self.samples[self.place[at]].name)

    # ---- boxes, all at once

    def _write_boxes(self, texts: list[str], at: npt.NDArray[np.int64]) -> None:
        width, height = self.width[at], self.height[at]
        x, y, w, h = (self.table[name].to_numpy()[at] for name in "xywh")
        x1, y1 = np.clip(x, 0, width), np.clip(y, 0, height)
        x2, y2 = np.clip(x + w, 0, width), np.clip(y + h, 0, height)
        has_area = (x2 > x1) & (y2 > y1)
        over = np.maximum.reduce([x1 - x, y1 - y, x + w - x2, y + h - y2])
        self._lose_some(_NO_AREA, at[~has_area])
        self._lose_some(_CLIPPED, at[has_area & (over > _VISIBLE_PX)])
        inside = over <= 0
        left, right = x1 / width, x2 / width
        top, bottom = y1 / height, y2 / height
        numbers = [self.classes[i] for i in at.tolist()]
        if self.form in (RowForm.DETECT, RowForm.POSE):
            columns = (
                np.where(inside, (x + w / 2) / width, (left + right) / 2),
                np.where(inside, (y + h / 2) / height, (top + bottom) / 2),
                np.where(inside, w / width, right - left),
                np.where(inside, h / height, bottom - top),
            )
            more = " 0 0 0" * self.n_points if self.form is RowForm.POSE else ""
            text = f"%s %.12g %.12g %.12g %.12g{more}".__mod__
            rows = list(map(text, zip(numbers, *(column.tolist() for column in columns), strict=True)))
        else:
            sides = (side.tolist() for side in (left, top, right, bottom))
            rows = [
                f"{n} {a:.12g} {b:.12g} {c:.12g} {b:.12g} {c:.12g} {d:.12g} {a:.12g} {d:.12g}"
                for n, a, b, c, d in zip(numbers, *sides, strict=True)
            ]
        if len(at) == len(texts) and has_area.all():
            texts[:] = rows
            return
        for i, row, good in zip(at.tolist(), rows, has_area.tolist(), strict=True):
            if good:
                texts[i] = row

    def _lose_some(self, what: str, at: npt.NDArray[np.int64]) -> None:
        which = np.zeros(len(self.place), bool)
        which[at] = True
        self._lose(what, which)

    # ---- one by one

    def _pose(self, at: int, row: dict[str, Any]) -> str:
        texts = [""] * len(self.place)
        self._write_boxes(texts, np.array([at]))
        if not texts[at]:
            return ""
        box = texts[at].removesuffix(" 0 0 0" * self.n_points)
        width, height = self.width[at], self.height[at]
        points = []
        xyv = (row["keypoints"] or [])[: self.n_points * 3]
        for start in range(0, len(xyv) - 2, 3):
            x, y, seen = xyv[start : start + 3]
            over = max(-x, -y, x - width, y - height)
            if seen > 0 and not over <= _VISIBLE_PX:
                self._lose_one("keypoint outside the image (left out)", at)
            if seen > 0 and over <= _VISIBLE_PX:
                x, y = min(max(x / width, 0.0), 1.0), min(max(y / height, 0.0), 1.0)
                points.append(f"{x:.12g} {y:.12g} {2 if seen >= 2 else 1}")
            else:
                points.append("0 0 0")
        points += ["0 0 0"] * (self.n_points - len(points))
        return " ".join([box, *points])

    def _corners(self, at: int, row: dict[str, Any]) -> str:
        """The four corners of an oriented box, each moved to the edge where it lies beyond."""
        ring = np.array(row["rings"][0], np.float64).reshape(-1, 2)
        size = np.array([self.width[at], self.height[at]])
        inside = np.clip(ring, 0.0, size)
        if polygons.ring_area(inside.ravel().tolist()) <= 0:
            self._lose_one(_NO_AREA, at)
            return ""
        if np.abs(inside - ring).max() > _VISIBLE_PX:
            self._lose_one(_CLIPPED, at)
        return self._ring_text(at, inside.ravel().tolist())

    def _polygon(self, at: int, row: dict[str, Any]) -> str:
        width, height = float(self.width[at]), float(self.height[at])
        rings = [ring for ring in self._rings(at, row) if polygons.ring_problem(ring) is None]
        clipped = polygons.clip_rings(rings, xyxy_px=(0.0, 0.0, width, height))
        if not clipped:
            self._lose_one(_NO_AREA, at)
            return ""
        if any(_overshoot(ring, width, height) > _VISIBLE_PX for ring in rings):
            self._lose_one(_CLIPPED, at)
        if len(clipped) > 1:
            self._lose_one("parts of a shape (joined by a line that covers no area)", at)
        return self._ring_text(at, joined(clipped) if len(clipped) > 1 else clipped[0])

    def _rings(self, at: int, row: dict[str, Any]) -> list[list[float]]:
        if row["kind"] == Kind.MASK:
            return self._traced(at, row)
        rings: list[list[float]] = row["rings"] or []
        return [_ellipse(rings[0])] if row["kind"] == Kind.ELLIPSE else rings

    def _traced(self, at: int, row: dict[str, Any]) -> list[list[float]]:
        """The outlines of a mask in pixels of the image."""
        rle = masks.from_string(row["mask_rle"], (row["mask_h"], row["mask_w"]))
        if not rle.area_px:
            return []
        x, y, w, h = (int(side) for side in rle.bbox_xywh_px())
        part = masks.decode(rle)[y : y + h, x : x + w]
        rings = masks.rings_of(part)
        if polygons.rings_area(rings) > rle.area_px + 0.5:
            self._lose_one("hole of a mask (filled)", at)
        across, down = self.width[at] / row["mask_w"], self.height[at] / row["mask_h"]
        return [
            [(v + (y if i % 2 else x)) * (down if i % 2 else across) for i, v in enumerate(ring)]
            for ring in rings
        ]

    def _ring_text(self, at: int, ring: Sequence[float]) -> str:
        size = (float(self.width[at]), float(self.height[at]))
        shares = (min(1.0, max(0.0, v / size[i % 2])) for i, v in enumerate(ring))
        return " ".join([self.classes[at], *(f"{share:.12g}" for share in shares)])


def _overshoot(ring: Sequence[float], width: float, height: float) -> float:
    xs, ys = ring[::2], ring[1::2]
    return max(-min(xs), -min(ys), max(xs) - width, max(ys) - height)


def _ellipse(corners: Sequence[float]) -> list[float]:
    """Points on the ellipse in a rectangle of four corners."""
    x0, y0, x1, y1, x2, y2, x3, y3 = corners
    centre, across, down = (
        ((x0 + x2) / 2, (y0 + y2) / 2),
        ((x1 - x0) / 2, (y1 - y0) / 2),
        ((x3 - x0) / 2, (y3 - y0) / 2),
    )
    turns = [2 * math.pi * step / _ELLIPSE_CORNERS for step in range(_ELLIPSE_CORNERS)]
    return [
        centre[axis] + across[axis] * math.cos(turn) + down[axis] * math.sin(turn)
        for turn in turns
        for axis in (0, 1)
    ]
