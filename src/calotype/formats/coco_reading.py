"""One COCO file opened: images as columns, classes, what it says of itself, annotations window by window."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.formats import coco_columns, coco_rows
from calotype.formats.base import Problem
from calotype.formats.coco_files import climbs, refused
from calotype.formats.coco_rows import Listed
from calotype.formats.json_rows import JsonRows
from calotype.foundation.collector import collector_paused
from calotype.foundation.ids import canonical_json

_IMAGE_KEYS = frozenset({"file_name", "width", "height"})
_DUMP = msgspec.json.Encoder(order="sorted")
_LISTS = ("images", "annotations", "categories")


@dataclass
class ImageRows:
    """The images of a file in its order, as columns of equal length; texts are Arrow's, so that a million is small."""

    file: str
    ids: npt.NDArray[np.int64]
    names: pa.ChunkedArray
    widths: npt.NDArray[np.int32]
    """Pixels; 0 where the file does not tell. So are `heights`."""
    heights: npt.NDArray[np.int32]
    licences: pa.ChunkedArray
    metadata: pa.ChunkedArray
    """JSON text; empty where there is none. So are `extras`: all other keys of the row."""
    extras: pa.ChunkedArray
    rows: npt.NDArray[np.int64]
    """Which rows of the file's list these are."""

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, at: int) -> str:
        """Where in the file an image stands."""
        return f"{self.file} images[{self.rows[at]}]"


class _Reading:
    """Rows of images on their way into columns, a window at a time."""

    _TEXTS = ("names", "licences", "metadata", "extras")

    def __init__(self) -> None:
        self.ids, self.rows = array("q"), array("q")
        self.widths, self.heights = array("i"), array("i")
        self.names: list[str] = []
        self.licences: list[str] = []
        self.metadata: list[str] = []
        self.extras: list[str] = []
        self._chunks: dict[str, list[pa.Array]] = {name: [] for name in self._TEXTS}

    def end_window(self) -> None:
        for name in self._TEXTS:
            self._chunks[name].append(pa.array(getattr(self, name), pa.string()))
            getattr(self, name).clear()

    def columns(self, file: str) -> ImageRows:
        texts = {name: pa.chunked_array(chunks, pa.string()) for name, chunks in self._chunks.items()}
        return ImageRows(
            file=file,
            ids=np.array(self.ids, np.int64),
            widths=np.array(self.widths, np.int32),
            heights=np.array(self.heights, np.int32),
            rows=np.array(self.rows, np.int64),
            **texts,
        )


class CocoResults:
    """A results file: a list of annotations that name images and classes by the numbers of an earlier file."""

    def __init__(self, file: Path, json: JsonRows) -> None:
        self.file = file
        self._json = json

    def windows(self, listed: Listed) -> Iterator[coco_columns.Window]:
        """The annotations. Raises: LabelFileUnreadable."""
        return coco_columns.windows(self._json, listed)


def opened(file: Path, *, split: str = "") -> CocoFile | CocoResults:
    """A COCO file, told apart by its top level. Raises: LabelFileUnreadable."""
    json = JsonRows(file)
    return CocoResults(file, json) if json.is_list else CocoFile(file, split=split, json=json)


class CocoFile:
    """A COCO file. Its images and classes are read when it is opened; its annotations as often as they are asked for.

    Raises: LabelFileUnreadable.
    """

    def __init__(self, file: Path, *, split: str = "", json: JsonRows | None = None) -> None:
        self.file = file
        self.split = split
        self._json = json or JsonRows(file)
        self.problems: list[Problem] = []
        self._all = (array("q"), array("q"), array("q"))  # id, width, height of every row, taken or not
        if self._json.is_list or "images" not in self._json.keys:
            raise refused(file, "the list `images` is missing", "export the file again with its images")
        self.names, self.classes = coco_rows.categories(self._json.value("categories"), file)
        self.images = self._images()
        self.listed = self._listed()
        self._all = (array("q"), array("q"), array("q"))

    @property
    def info(self) -> dict[str, Any]:
        """Everything at the top level that is no list of images, annotations or categories."""
        return {key: self._json.value(key) for key in self._json.keys if key not in _LISTS}

    def windows(self) -> Iterator[coco_columns.Window]:
        """The annotations. Raises: LabelFileUnreadable."""
        return coco_columns.windows(self._json, self.listed)

    def forget_images(self) -> None:
        """Give the memory of `images` back; `listed` stays."""
        self.images = _Reading().columns(self.file.name)

    def _images(self) -> ImageRows:
        found = _Reading()
        licences = {
            entry.get("id"): str(entry.get("name", ""))
            for entry in coco_rows.dicts(self._json.value("licenses"))
        }
        at = 0
        with collector_paused():
            for rows in self._json.rows("images"):
                for row in rows:
                    self._image(row, at, found, licences)
                    at += 1
                found.end_window()
        return found.columns(self.file.name)

    def _image(self, row: Any, at: int, found: _Reading, licences: dict[Any, str]) -> None:
        if type(row) is not dict or type(row.get("id")) is not int or type(row.get("file_name")) is not str:
            self._problem(at, "an image needs `id` and `file_name`")
            return
        identity, name = row["id"], row["file_name"]
        if abs(identity) >= 2**63:
            self._problem(at, f"id {identity} is no number below 2**63")
            return
        width, height = (row["width"], row["height"]) if coco_rows.is_sized(row) else (0, 0)
        if max(width, height) > coco_rows.LARGEST:
            width = height = 0
        for values, value in zip(self._all, (identity, width, height), strict=True):
            values.append(value)
        if climbs(name):
            self._problem(at, f"file name {name[:80]!r} leads out", f"{self.file.name}:{identity}")
            return
        found.ids.append(identity)
        found.rows.append(at)
        found.names.append(name)
        found.widths.append(width)
        found.heights.append(height)
        found.licences.append(licences.get(row.get("license"), ""))
        extra = {key: row[key] for key in row if key not in _IMAGE_KEYS}
        found.extras.append(_text(extra))
        found.metadata.append(_text(_metadata_of(extra)))

    def _problem(self, at: int, reason: str, key: str = "") -> None:
        where = f"{self.file.name} images[{at}]"
        self.problems.append(Problem("invalid", "image", where, reason, None, key))

    def _listed(self) -> Listed:
        ids, widths, heights = (np.array(values, np.int64) for values in self._all)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        again = np.flatnonzero(ids[1:] == ids[:-1])
        if len(again):
            raise refused(
                self.file, f"two images have the id {ids[again[0]]}", "give every image an id of its own"
            )
        return Listed(self.file.name, ids, widths[order], heights[order], self.names)

    def position_of_taken(self) -> npt.NDArray[np.int64]:
        """For each image of `listed` its position in `images`, -1 where the row was a problem."""
        at = np.full(len(self.listed.image_ids), -1)
        at[self.listed.at(self.images.ids)] = np.arange(len(self.images))
        return at


def _metadata_of(extra: dict[str, Any]) -> dict[str, str | int | float | bool]:
    """What of an image row becomes metadata: plain values under plain names, but for the file's own numbers."""
    return {
        k: v
        for k, v in extra.items()
        if k not in ("id", "license") and coco_rows.is_plain(v) and k.isidentifier() and k.isascii()
    }


def _text(value: dict[str, Any]) -> str:
    if not value:
        return ""
    try:
        return _DUMP.encode(value).decode()
    except OverflowError:  # a number of more than 64 bits
        return canonical_json(value)
