"""COCO rows as columns, some thousand at a time.

Regular rows are checked in NumPy; each row that is unusual in any way is checked by itself with the same rules
(`rows`), so that speed changes no result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets import rows as arrow_rows
from calotype.formats.coco import rows as coco_rows
from calotype.formats.coco.files import Unreadable
from calotype.formats.coco.ids import Ids
from calotype.formats.coco.json_rows import JsonRows
from calotype.formats.found_sizes import Turn, turned_window
from calotype.formats.notices import Notices
from calotype.formats.passthrough import value_problem
from calotype.formats.values import ParsedAnnotation
from calotype.formats.windows import LabelIndex, Problem, Window, to_text
from calotype.foundation.collector import collector_paused
from calotype.vision import masks

_NOTHING: tuple[Any, ...] = (None, [])
_NUMBER = {int, float}
_PLAIN_KEYS = coco_rows.ANNOTATION_KEYS - {"attributes"}


Place = tuple[int, float, float, float, float]
"""Where an object is: the id of its image, and its box x, y, w, h in pixels."""


@dataclass(frozen=True, slots=True)
class RowReading:
    """What the rows of one pass over a file share.

    `ids` are the numbers of texts, `notices` those of this pass. Rows with an id and a place in `given_elsewhere` are
    left out: the file of keypoints gives the same object with its points. `turns` are images whose shapes are turned.
    """

    ids: Ids
    notices: Notices
    given_elsewhere: Mapping[int, Place] = field(default_factory=dict)
    turns: Mapping[int, Turn] = field(default_factory=dict)


def windows(json: JsonRows, index: LabelIndex, reading: RowReading) -> Iterator[Window]:
    """All annotations of a file, in order except that unusual ones come last in their window.

    Raises: LabelFileUnreadable.
    """
    at = 0
    for rows in json.rows("annotations"):
        with collector_paused():
            window = _window(rows, at, index, reading)
        at += len(rows)
        yield turned_window(_without_given(window, reading, index), reading.turns)


def _without_given(window: Window, reading: RowReading, index: LabelIndex) -> Window:
    """The window without the rows that another file gives with more to them."""
    if not reading.given_elsewhere:
        return window
    boxes = (window.columns[side].to_pylist() for side in "xywh")
    places = zip(index.image_ids[window.image].tolist(), *boxes, strict=True)
    given = reading.given_elsewhere
    same = (
        number is not None and given.get(number) == place
        for number, place in zip(window.source_id.to_pylist(), places, strict=True)
    )
    keep = ~np.fromiter(same, bool, len(window))
    if keep.all():
        return window
    what = "object that the file of keypoints gives too: read there, with its points"
    first = window.place(int(np.flatnonzero(~keep)[0]))
    reading.notices.add("duplicate", first, n=int((~keep).sum()), what=what)
    kept = window.filter(keep)
    kept.problems = window.problems
    return kept


def _window(rows: list[Any], start: int, index: LabelIndex, reading: RowReading) -> Window:
    if not _uniform(rows):
        rows = reading.ids.numbered(rows, reading.notices, f"{index.file} annotations")
        rows = [coco_rows.with_caption_class(row, index) for row in rows]
    chosen, places = _usual(rows)
    try:
        good, window = _regular(chosen, index)
    except OverflowError:  # a number beyond a float: found row by row
        places = places[[_fits(row) for row in chosen]]
        good, window = _regular([rows[at] for at in places.tolist()], index)
    unusual = np.ones(len(rows), bool)
    unusual[places[good]] = False
    others, problems = [], []
    for at in np.flatnonzero(unusual).tolist():
        where = f"{index.file} annotations[{start + at}]"
        try:
            others.append((rows[at], coco_rows.annotation(rows[at], where, index)))
        except (Unreadable, masks.RleInvalid) as error:
            problems.append(Problem("invalid", "annotation", where, str(error)))
    if others:
        window = _joined([window, _from_values(others, index)])
    window.problems = problems
    return window


def _usual(rows: list[Any]) -> tuple[list[dict[str, Any]], npt.NDArray[np.int64]]:
    """The rows of usual types, and their places."""
    if _uniform(rows):
        return rows, np.arange(len(rows))
    places = np.flatnonzero(np.fromiter((_is_regular(row) for row in rows), bool, len(rows)))
    return [rows[at] for at in places.tolist()], places


def _fits(row: dict[str, Any]) -> bool:
    """Whether the numbers of a row of usual types are floats."""
    rings = chain.from_iterable(row.get("segmentation") or ())
    numbers = (*row["bbox"], *rings, row.get("area") or 0, row.get("score") or 0)
    return all(abs(number) <= coco_rows.LARGEST_AREA for number in numbers)


def _uniform(rows: list[Any]) -> bool:
    """Whether all rows are objects with the usual types, checked a column at a time."""
    if set(map(type, rows)) != {dict}:
        return False
    ids = set(map(type, (row.get("id") for row in rows)))
    whole = {
        *map(type, (row.get("image_id") for row in rows)),
        *map(type, (row.get("category_id") for row in rows)),
    }
    boxes = [row.get("bbox") for row in rows]
    if (
        not ids <= {int, type(None)}
        or whole != {int}
        or set(map(type, boxes)) != {list}
        or set(map(len, boxes)) != {4}
    ):
        return False
    plain = {*map(type, chain.from_iterable(boxes)), *map(type, (row.get("area", 0) for row in rows))}
    scores = set(map(type, (row.get("score") for row in rows)))
    crowds = set(map(type, (row.get("iscrowd", 0) for row in rows)))
    return (
        plain <= _NUMBER
        and scores <= {*_NUMBER, type(None)}
        and crowds <= {int, bool}
        and all(row.get("keypoints") in _NOTHING for row in rows)
        and {type(row.get("attributes")) for row in rows} <= {dict, type(None)}
        and all(map(_rings_are_regular, (row.get("segmentation") for row in rows)))
        and not any(map(value_problem, map(coco_rows.passed_through, _with_more(rows))))
    )


def _with_more(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with values that are kept as they are."""
    if set().union(*rows) <= _PLAIN_KEYS:
        return []
    return [row for row in rows if row.get("attributes") or not row.keys() <= coco_rows.ANNOTATION_KEYS]


def is_plain_box(row: dict[str, Any]) -> bool:
    """Whether a row has an id, an image and a box, all of the usual types and sizes."""
    box = row.get("bbox")
    return (
        type(row.get("id")) is int
        and type(row.get("image_id")) is int
        and type(box) is list
        and len(box) == 4
        and set(map(type, box)) <= _NUMBER
        and all(abs(number) <= coco_rows.LARGEST for number in box)
    )


def _is_regular(row: Any) -> bool:
    return type(row) is dict and _uniform([row])


def _rings_are_regular(value: Any) -> bool:
    if not value:
        return value in _NOTHING
    return type(value) is list and all(
        type(ring) is list and len(ring) >= 6 and len(ring) % 2 == 0 and set(map(type, ring)) <= _NUMBER
        for ring in value
    )


def _regular(rows: list[dict[str, Any]], index: LabelIndex) -> tuple[npt.NDArray[np.bool_], Window]:
    """Which of the rows of usual types have usual values, and those as columns."""
    numbers = _Numbers(rows)
    good = numbers.good(index)
    if not good.all():
        rows = [row for row, keep in zip(rows, good, strict=True) if keep]
        numbers = _Numbers(rows)
    image = index.positions(numbers.images)
    return good, Window(index.file, image, numbers.categories, numbers.source_ids(), numbers.columns())


class _Numbers:
    """The numbers of rows of usual types."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows
        n = len(rows)
        self.ids = [row.get("id") for row in rows]
        self.images = _whole([row["image_id"] for row in rows])
        self.categories = _whole([row["category_id"] for row in rows])
        flat = chain.from_iterable(row["bbox"] for row in rows)
        self.boxes = np.fromiter(flat, np.float64, 4 * n).reshape(n, 4)
        areas = [row.get("area") for row in rows]
        self.areas = np.array(areas, np.float64) if n else np.empty(0)  # None becomes NaN
        self._segmentations = [row.get("segmentation") or () for row in rows]
        bare = np.isnan(self.areas) & ~np.fromiter(map(bool, self._segmentations), bool, n)
        if bare.any():  # as in lists of results; the area of rings is computed row by row
            self.areas[bare] = self.boxes[bare, 2] * self.boxes[bare, 3]
        self._flat_rings = list(chain.from_iterable(self._segmentations))

    def good(self, index: LabelIndex) -> npt.NDArray[np.bool_]:
        image = index.positions(self.images)
        known = np.array([category in index.classes for category in self.categories.tolist()], bool)
        good = (image >= 0) & known & (np.abs(self.boxes) <= coco_rows.LARGEST).all(axis=1)
        x, y, w, h = self.boxes.T
        good &= (w > 0) & (h > 0) & (np.abs(self.areas) <= coco_rows.LARGEST_AREA)
        if len(index.image_ids):
            width, height = index.widths[image], index.heights[image]
            outside = (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
            good &= ~((width > 0) & (height > 0) & outside)
        huge = [i is not None and abs(i) >= 2**63 for i in self.ids]
        if any(huge):
            good &= ~np.array(huge)
        if self._flat_rings:
            reach = [max(map(abs, chain.from_iterable(s)), default=0) for s in self._segmentations]
            good &= np.array(reach, np.float64) <= coco_rows.LARGEST
        usual: npt.NDArray[np.bool_] = good
        return usual

    def source_ids(self) -> pa.Array:
        return pa.array(self.ids, pa.int64())

    def columns(self) -> dict[str, pa.Array]:
        rows, n = self._rows, len(self._rows)
        scores = [row.get("score") for row in rows]
        columns = _filled(n)
        columns |= {name: pa.array(self.boxes[:, at]) for at, name in enumerate("xywh")}
        columns["area_px"] = pa.array(self.areas)
        if any(score is not None for score in scores):
            judged = [score if score is not None and 0 <= score <= 1 else None for score in scores]
            columns["score"] = pa.array(judged, pa.float64())
        columns["iscrowd"] = pa.array([bool(row.get("iscrowd", 0)) for row in rows], pa.bool_())
        if self._flat_rings:
            columns["rings"], columns["kind"] = self._rings(n)
        unknown = set().union(*rows) - coco_rows.ANNOTATION_KEYS
        if unknown:
            columns["extra"] = _texts([{k: row[k] for k in unknown if k in row} for row in rows])
        attributes = [row.get("attributes") for row in rows]
        if any(attributes):
            columns["attributes"] = _texts([value or {} for value in attributes])
        return columns

    def _rings(self, n: int) -> tuple[pa.Array, pa.Array]:
        lengths = np.fromiter(map(len, self._flat_rings), np.int32, len(self._flat_rings))
        values = np.fromiter(chain.from_iterable(self._flat_rings), np.float64, int(lengths.sum()))
        inner = pa.ListArray.from_arrays(_offsets(lengths), pa.array(values))
        counts = np.fromiter(map(len, self._segmentations), np.int32, n)
        starts = _offsets(counts)
        empty = np.append(counts == 0, False)
        rings = pa.ListArray.from_arrays(pa.array(starts, pa.int32(), mask=empty), inner)
        kinds = pa.array(["box", "polygon"]).take(pa.array((counts > 0).astype(np.int8)))
        return rings, kinds


def with_identities(window: Window, kind: str) -> Window:
    """The window with ids that are those of a kind of annotation, apart from the numbers of other files."""
    texts = window.source_id.cast(pa.string())
    content = window.columns["attributes"].to_pylist()
    identities = [
        f"{kind}:{number}" if number is not None else f"content:{kind}:{text}"
        for number, text in zip(texts.to_pylist(), content, strict=True)
    ]
    return replace(window, source_id=texts, identities=identities)


def _from_values(judged: list[tuple[dict[str, Any], ParsedAnnotation]], index: LabelIndex) -> Window:
    """Rows that were checked one by one, as columns."""
    values = [parsed for _, parsed in judged]
    table = arrow_rows.drawn_to_arrow(values)
    ids = [int(parsed.source_id) if parsed.source_id else None for parsed in values]
    image = index.positions(_whole([row["image_id"] for row, _ in judged]))
    columns = {name: table[name].combine_chunks() for name in _filled(0)}
    return Window(
        index.file,
        image,
        _whole([row["category_id"] for row, _ in judged]),
        pa.array(ids, pa.int64()),
        columns,
    )


def _joined(parts: list[Window]) -> Window:
    columns = {
        name: pa.concat_arrays(
            [part.columns[name].cast(arrow_rows.ANNOTATION_SCHEMA.field(name).type) for part in parts]
        )
        for name in parts[0].columns
    }
    return Window(
        parts[0].file,
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.category for part in parts]),
        pa.concat_arrays([part.source_id for part in parts]),
        columns,
    )


def _filled(n: int) -> dict[str, pa.Array]:
    """The columns of a plain box without its numbers."""
    given = {"kind": pa.repeat("box", n), "mask_rle": pa.repeat("", n), "iscrowd": pa.repeat(False, n)}
    given |= {name: pa.repeat("", n) for name in ("attributes", "extra")}
    names = (
        "kind",
        "x",
        "y",
        "w",
        "h",
        "rings",
        "mask_rle",
        "mask_h",
        "mask_w",
        "keypoints",
        "area_px",
        "score",
        "iscrowd",
    )
    return {
        name: given[name] if name in given else pa.nulls(n, arrow_rows.ANNOTATION_SCHEMA.field(name).type)
        for name in (*names, "attributes", "extra")
    }


def _texts(values: list[dict[str, Any]]) -> pa.Array:
    return pa.array([to_text(value) for value in values], pa.string())


def _whole(values: list[int]) -> npt.NDArray[np.int64]:
    try:
        return np.array(values, np.int64)
    except OverflowError:  # an id beyond 64 bits refers to nothing
        return np.array([value if -(2**63) <= value < 2**63 else -(2**63) for value in values], np.int64)


def _offsets(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
