"""Columns of COCO rows whose types are usual: their values are checked in NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import chain
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.coco_format import rows as coco_rows
from calotype.datasets import rows as arrow_rows
from calotype.formats.windows import LabelIndex, Window, to_text

Mask = npt.NDArray[np.bool_]


class Rows(Protocol):
    """Rows of usual types. A column is asked for where `keys` has its key; a row that lacks it gives None."""

    def __len__(self) -> int:
        """The number of rows."""

    @property
    def keys(self) -> Set[str]:
        """The keys that at least one row has."""

    def column(self, key: str) -> Iterable[Any]:
        """The values under a key."""

    def extras(self, keys: Set[str]) -> list[dict[str, Any]]:
        """What each row has of some keys."""


class MappedRows:
    """Rows as mappings."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows
        self.keys: set[str] = set().union(*rows)

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, key: str) -> list[Any]:
        """The values under a key."""
        return [row.get(key) for row in self._rows]

    def extras(self, keys: Set[str]) -> list[dict[str, Any]]:
        """What each row has of some keys."""
        return [{key: row[key] for key in keys if key in row} for row in self._rows]


def regular(rows: Rows, index: LabelIndex) -> tuple[Mask, Window]:
    """Which of the rows of usual types have usual values, and those as columns.

    Raises: OverflowError for a number beyond a float.
    """
    numbers = _Numbers(rows, index)
    good = numbers.good()
    window = Window(index.file, numbers.image, numbers.categories, numbers.ids, numbers.columns())
    return good, window if good.all() else window.filter(good)


class _Numbers:
    """The numbers of rows of usual types."""

    def __init__(self, rows: Rows, index: LabelIndex) -> None:
        self._rows = rows
        self._index = index
        n = len(rows)
        self.image = index.positions(_whole_column(rows, "image_id"))
        self.categories = _whole_column(rows, "category_id")
        flat = chain.from_iterable(rows.column("bbox"))
        self._boxes = np.fromiter(flat, np.float64, 4 * n).reshape(n, 4)
        rings = [] if "segmentation" not in rows.keys else list(rows.column("segmentation"))
        self._n_rings = np.fromiter(map(_length, rings), np.int32, n) if rings else np.zeros(n, np.int32)
        self._areas = self._given_areas()
        self._set_rings(list(chain.from_iterable(filter(None, rings))))
        self.ids, self._is_huge = self._given_ids()

    def _given_areas(self) -> npt.NDArray[np.float64]:
        """The areas, of plain boxes also where they are not given; of rings they are computed row by row."""
        n = len(self._rows)
        areas = np.full(n, np.nan)
        if "area" in self._rows.keys:
            try:
                areas = np.fromiter(self._rows.column("area"), np.float64, n)
            except TypeError:  # None, which becomes NaN
                areas = np.array(list(self._rows.column("area")), np.float64)
        bare = np.isnan(areas) & (self._n_rings == 0)
        with np.errstate(over="ignore"):  # boxes so large are not usual
            areas[bare] = self._boxes[bare, 2] * self._boxes[bare, 3]
        return areas

    def _set_rings(self, rings: list[list[float]]) -> None:
        self._ring_lengths = np.fromiter(map(len, rings), np.int32, len(rings))
        n_values = int(self._ring_lengths.sum())
        self._ring_values = np.fromiter(chain.from_iterable(rings), np.float64, n_values)

    def _given_ids(self) -> tuple[pa.Array, Mask]:
        """The ids, null where a row has none, and which of them are too large."""
        n = len(self._rows)
        if "id" not in self._rows.keys:
            return pa.nulls(n, pa.int64()), np.zeros(n, bool)
        try:
            numbers = np.fromiter(self._rows.column("id"), np.int64, n)
        except (OverflowError, TypeError):
            ids = list(self._rows.column("id"))
            huge = [number is not None and abs(number) >= 2**63 for number in ids]
            fitting = [None if is_huge else number for number, is_huge in zip(ids, huge, strict=True)]
            return pa.array(fitting, pa.int64()), np.array(huge, bool)
        return pa.array(numbers), numbers == -(2**63)

    def good(self) -> Mask:
        """(N,) rows of usual values."""
        boxes, image = self._boxes, self.image
        known = np.isin(self.categories, np.fromiter(self._index.classes, np.int64))
        good = (image >= 0) & known & (np.abs(boxes) <= coco_rows.LARGEST).all(axis=1)
        x, y, w, h = boxes.T
        good &= (w > 0) & (h > 0) & (np.abs(self._areas) <= coco_rows.LARGEST_AREA)
        if len(self._index.image_ids):
            width, height = self._index.widths[image], self._index.heights[image]
            outside = (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
            good &= ~((width > 0) & (height > 0) & outside)
        good &= ~self._is_huge
        far = np.abs(self._ring_values) > coco_rows.LARGEST
        if far.any():
            row_of_ring = np.repeat(np.arange(len(good)), self._n_rings)
            good[np.repeat(row_of_ring, self._ring_lengths)[far]] = False
        usual: Mask = good
        return usual

    def columns(self) -> dict[str, pa.Array]:
        """The drawn columns."""
        rows, n = self._rows, len(self._rows)
        columns = filled(n)
        columns |= {
            name: pa.array(np.ascontiguousarray(self._boxes[:, at])) for at, name in enumerate("xywh")
        }
        columns["area_px"] = pa.array(self._areas)
        if "score" in rows.keys:
            judged = [s if s is not None and 0 <= s <= 1 else None for s in rows.column("score")]
            columns["score"] = pa.array(judged, pa.float64())
        if "iscrowd" in rows.keys:
            columns["iscrowd"] = pa.array(np.fromiter(map(bool, rows.column("iscrowd")), bool, n))
        if len(self._ring_lengths):
            columns["rings"], columns["kind"] = self._rings()
        unknown = rows.keys - coco_rows.ANNOTATION_KEYS
        if unknown:
            columns["extra"] = _texts(rows.extras(unknown))
        if "attributes" in rows.keys:
            columns["attributes"] = _texts([value or {} for value in rows.column("attributes")])
        return columns

    def _rings(self) -> tuple[pa.Array, pa.Array]:
        inner = pa.ListArray.from_arrays(_offsets(self._ring_lengths), pa.array(self._ring_values))
        counts = self._n_rings
        empty = np.append(counts == 0, False)
        rings = pa.ListArray.from_arrays(pa.array(_offsets(counts), pa.int32(), mask=empty), inner)
        kinds = pa.array(["box", "polygon"]).take(pa.array((counts > 0).astype(np.int8)))
        return rings, kinds


def filled(n: int) -> dict[str, pa.Array]:
    """The columns of a plain box without its numbers."""
    given = {"kind": pa.repeat("box", n), "mask_rle": pa.repeat("", n), "iscrowd": pa.repeat(False, n)}
    given |= {name: pa.repeat("", n) for name in ("attributes", "extra")}
    return {
        field.name: given[field.name] if field.name in given else pa.nulls(n, field.type)
        for field in arrow_rows.DRAWN_FIELDS
    }


def _whole_column(rows: Rows, key: str) -> npt.NDArray[np.int64]:
    try:
        return np.fromiter(rows.column(key), np.int64, len(rows))
    except OverflowError:
        return whole(list(rows.column(key)))


def whole(values: Sequence[int]) -> npt.NDArray[np.int64]:
    """Whole numbers as int64."""
    try:
        return np.fromiter(values, np.int64, len(values))
    except OverflowError:  # an id beyond 64 bits refers to nothing
        return np.array([value if -(2**63) <= value < 2**63 else -(2**63) for value in values], np.int64)


def _length(rings: Any) -> int:
    return len(rings) if rings else 0


def _texts(values: list[dict[str, Any]]) -> pa.Array:
    return pa.array([to_text(value) for value in values], pa.string())


def _offsets(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
