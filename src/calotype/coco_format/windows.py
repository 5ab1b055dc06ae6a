"""COCO rows as columns, some thousand at a time.

Regular rows are checked in NumPy; each row that is unusual in any way is checked by itself with the same rules
(`rows`), so that speed changes no result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.coco_format import rows as coco_rows
from calotype.coco_format.columns import MappedRows, Mask, filled, regular, whole
from calotype.coco_format.files import Unreadable
from calotype.coco_format.ids import Ids
from calotype.coco_format.json_rows import JsonRows
from calotype.coco_format.typed_rows import TypedAnnotations, typed_annotations
from calotype.datasets import rows as arrow_rows
from calotype.formats.found_sizes import Turn, turned_window
from calotype.formats.notices import Notices
from calotype.formats.passthrough import value_problem
from calotype.formats.values import ParsedAnnotation
from calotype.formats.windows import LabelIndex, Problem, Window
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
    given = json.typed_rows("annotations", typed_annotations)
    while True:
        with collector_paused():
            rows = next(given, None)
            if rows is None:
                return
            if isinstance(rows, TypedAnnotations):
                window = _typed_window(rows, at, index)
            else:
                window = _window(rows, at, index, reading)
            at += len(rows)
            del rows  # before the collector would go through them
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


def _typed_window(typed: TypedAnnotations, start: int, index: LabelIndex) -> Window:
    """The window of rows of usual types; those of unusual values are checked by themselves."""
    good, window = regular(typed, index)
    return window if good.all() else _with_unusual(window, typed.mapped(), ~good, start, index)


def _window(rows: list[Any], start: int, index: LabelIndex, reading: RowReading) -> Window:
    if _uniform(rows):
        chosen, places = rows, np.arange(len(rows))
    else:
        rows = reading.ids.numbered(rows, reading.notices, f"{index.file} annotations")
        rows = [coco_rows.with_caption_class(row, index) for row in rows]
        chosen, places = _usual(rows)
    try:
        good, window = regular(MappedRows(chosen), index)
    except OverflowError:  # a number beyond a float: found row by row
        places = places[[_fits(row) for row in chosen]]
        good, window = regular(MappedRows([rows[at] for at in places.tolist()]), index)
    unusual = np.ones(len(rows), bool)
    unusual[places[good]] = False
    return _with_unusual(window, rows, unusual, start, index)


def _with_unusual(window: Window, rows: list[Any], unusual: Mask, start: int, index: LabelIndex) -> Window:
    """The window with the unusual rows after its own, or as problems."""
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
    keys: set[str] = set().union(*rows)
    if not {"image_id", "category_id", "bbox"} <= keys:
        return False
    boxes = [row.get("bbox") for row in rows]
    if set(map(type, boxes)) != {list} or set(map(len, boxes)) != {4}:
        return False
    segmentations = _types(rows, keys, "segmentation")
    return (
        _types(rows, keys, "id") <= {int, type(None)}
        and _types(rows, keys, "image_id") | _types(rows, keys, "category_id") == {int}
        and set(map(type, chain.from_iterable(boxes))) <= _NUMBER
        and _types(rows, keys, "area", 0) <= _NUMBER
        and _types(rows, keys, "score") <= {*_NUMBER, type(None)}
        and _types(rows, keys, "iscrowd", 0) <= {int, bool}
        and ("keypoints" not in keys or all(row.get("keypoints") in _NOTHING for row in rows))
        and _types(rows, keys, "attributes") <= {dict, type(None)}
        and segmentations <= {list, type(None)}
        and (not segmentations or all(map(_rings_are_regular, filter(None, _values(rows, "segmentation")))))
        and not any(map(value_problem, map(coco_rows.passed_through, _with_more(rows, keys))))
    )


def _values(rows: list[dict[str, Any]], key: str, default: Any = None) -> list[Any]:
    return [row.get(key, default) for row in rows]


def _types(rows: list[dict[str, Any]], keys: set[str], key: str, default: Any = None) -> set[type]:
    """The types of the values under a key; none where no row has it."""
    return set(map(type, _values(rows, key, default))) if key in keys else set()


def _with_more(rows: list[dict[str, Any]], keys: set[str]) -> list[dict[str, Any]]:
    """The rows with values that are kept as they are."""
    if keys <= _PLAIN_KEYS:
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
    image = index.positions(whole([row["image_id"] for row, _ in judged]))
    columns = {name: table[name].combine_chunks() for name in filled(0)}
    return Window(
        index.file,
        image,
        whole([row["category_id"] for row, _ in judged]),
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
