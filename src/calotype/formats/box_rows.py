"""Boxes of small label files as numbers in columns: no object for a row, and texts that repeat are kept once."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.model import Kind
from calotype.foundation.ids import canonical_json

Ints = npt.NDArray[np.int64]


class BoxRow(NamedTuple):
    """One box: its class and attributes as numbers of `BoxTables`, and x, y, w, h in pixels.

    `image` is a number of `BoxTables`; `at` is the number of the object in its file.
    """

    image: int
    class_number: int
    attributes: int
    at: int
    box: tuple[float, float, float, float]


class BoxTables:
    """What many rows share: the keys of images, the names of classes, and attributes."""

    def __init__(self) -> None:
        self.image_keys: list[str] = []
        self.class_names: list[str] = []
        self.attributes: list[Mapping[str, Any]] = []
        self._class_number: dict[str, int] = {}
        self._attributes_number: dict[Hashable, int] = {}

    def class_number(self, name: str) -> int:
        """The number of a class name."""
        number = self._class_number.setdefault(name, len(self.class_names))
        if number == len(self.class_names):
            self.class_names.append(name)
        return number

    def known_attributes(self, key: Hashable) -> int | None:
        """The number of attributes that were added under a key; None where there are none."""
        return self._attributes_number.get(key)

    def add_attributes(self, key: Hashable, attributes: Mapping[str, Any]) -> int:
        """Add attributes under a key; returns their number."""
        self.attributes.append(attributes)
        return self._attributes_number.setdefault(key, len(self.attributes) - 1)


class BoxRows:
    """Rows of boxes. A row may stand for something else: then its numbers mean nothing."""

    def __init__(self, tables: BoxTables) -> None:
        self.tables = tables
        self._whole = array("q")
        self._boxes = array("d")

    def __len__(self) -> int:
        return len(self._boxes) // 4

    def __getitem__(self, at: int) -> BoxRow:
        image, class_number, attributes, place = self._whole[4 * at : 4 * at + 4]
        x, y, w, h = self._boxes[4 * at : 4 * at + 4]
        return BoxRow(image, class_number, attributes, place, (x, y, w, h))

    def add(self, whole: tuple[int, int, int, int], box: tuple[float, float, float, float]) -> None:
        """Add the first four numbers of a `BoxRow` and its box."""
        self._whole.extend(whole)
        self._boxes.extend(box)

    def add_many(self, whole: Iterable[int], boxes: Iterable[float]) -> None:
        """Add rows given as the numbers of one after another: four of a `BoxRow`, and four of its box."""
        self._whole.extend(whole)
        self._boxes.extend(boxes)

    def extend(self, other: BoxRows, start: int, stop: int) -> None:
        """Add some rows of another list with the same tables."""
        self._whole.extend(other._whole[4 * start : 4 * stop])
        self._boxes.extend(other._boxes[4 * start : 4 * stop])

    def whole(self, start: int, stop: int) -> Ints:
        """(N, 4) image, class, attributes and number in its file of some rows."""
        return np.array(self._whole[4 * start : 4 * stop], np.int64).reshape(-1, 4)

    def classes(self, start: int, stop: int) -> set[str]:
        """The names of the classes of some rows."""
        names = self.tables.class_names
        return {names[number] for number in set(self._whole[4 * start + 1 : 4 * stop : 4])}

    def columns(self, start: int, stop: int) -> dict[str, pa.Array]:
        """The drawn columns of some rows, all of them boxes."""
        n, boxes = stop - start, np.array(self._boxes[4 * start : 4 * stop]).reshape(-1, 4)
        texts = [canonical_json(dict(value)) if value else "" for value in self.tables.attributes]
        given = {"kind": pa.repeat(str(Kind.BOX), n), "mask_rle": pa.repeat("", n), "extra": pa.repeat("", n)}
        given |= {name: pa.array(boxes[:, side]) for side, name in enumerate("xywh")}
        given |= {"area_px": pa.array(boxes[:, 2] * boxes[:, 3]), "iscrowd": pa.repeat(False, n)}
        given["attributes"] = pa.array(texts, pa.string()).take(pa.array(self.whole(start, stop)[:, 2]))
        return {
            field.name: given[field.name] if field.name in given else pa.nulls(n, field.type)
            for field in rows.DRAWN_FIELDS
        }

    def place(self, at: int) -> str:
        """Where a row is, for messages."""
        return f"{self.tables.image_keys[self._whole[4 * at]]} object[{self._whole[4 * at + 3]}]"

    def contents(self, start: int, stop: int) -> list[str]:
        """The canonical JSON of class, kind, box, rings, mask, keypoints and score of some rows, all of them boxes."""
        names = [json.dumps(name, ensure_ascii=False) for name in self.tables.class_names]
        numbers = iter(self._boxes[4 * start : 4 * stop])
        of_rows = zip(
            self._whole[4 * start + 1 : 4 * stop : 4], numbers, numbers, numbers, numbers, strict=True
        )
        return [
            f'[{names[number]},"box",[{x!r},{y!r},{w!r},{h!r}],[],"",[],null]'
            for number, x, y, w, h in of_rows
        ]
