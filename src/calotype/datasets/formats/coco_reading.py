"""One COCO file opened: images as columns, classes, what it says of itself, annotations window by window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.datasets.formats import coco_columns, coco_rows
from calotype.datasets.formats.base import Problem
from calotype.datasets.formats.coco_files import climbs, refused
from calotype.datasets.formats.coco_rows import Listed
from calotype.datasets.formats.json_rows import JsonRows

_IMAGE_KEYS = frozenset({"file_name", "width", "height"})
_LISTS = ("images", "annotations", "categories")


@dataclass
class ImageRows:
    """The images of a file in its order: ids, names, sizes in pixels (0 unknown), licence names, other keys."""

    ids: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    extras: list[dict[str, Any]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


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
        if self._json.is_list or "images" not in self._json.keys:
            raise refused(file, "the list `images` is missing", "export the file again with its images")
        self.names, self.classes = coco_rows.categories(self._json.value("categories"), file)
        self.images = self._images()
        self.listed = self._listed()

    @property
    def info(self) -> dict[str, Any]:
        """Everything at the top level that is no list of images, annotations or categories."""
        return {key: self._json.value(key) for key in self._json.keys if key not in _LISTS}

    def windows(self) -> Iterator[coco_columns.Window]:
        """The annotations. Raises: LabelFileUnreadable."""
        return coco_columns.windows(self._json, self.listed)

    def _images(self) -> ImageRows:
        found = ImageRows()
        licences = {
            entry.get("id"): str(entry.get("name", ""))
            for entry in coco_rows.dicts(self._json.value("licenses"))
        }
        at = 0
        self._all: dict[int, tuple[int, int]] = {}
        for rows in self._json.rows("images"):
            for row in rows:
                self._image(row, f"{self.file.name} images[{at}]", found, licences)
                at += 1
        return found

    def _image(self, row: Any, where: str, found: ImageRows, licences: dict[Any, str]) -> None:
        if type(row) is not dict or type(row.get("id")) is not int or type(row.get("file_name")) is not str:
            self.problems.append(Problem("invalid", "image", where, "an image needs `id` and `file_name`"))
            return
        identity, name = row["id"], row["file_name"]
        if identity in self._all:
            raise refused(
                self.file, f"two images have the id {identity}", "give every image an id of its own"
            )
        if abs(identity) >= 2**63:
            self.problems.append(
                Problem("invalid", "image", where, f"id {identity} is no number below 2**63")
            )
            return
        size = (row["width"], row["height"]) if coco_rows.is_sized(row) else (0, 0)
        self._all[identity] = size if max(size) <= coco_rows.LARGEST else (0, 0)
        if climbs(name):
            key = f"{self.file.name}:{identity}"
            self.problems.append(
                Problem("invalid", "image", where, f"file name {name[:80]!r} leads out", None, key)
            )
            return
        found.ids.append(identity)
        found.names.append(name)
        found.widths.append(self._all[identity][0])
        found.heights.append(self._all[identity][1])
        found.licences.append(licences.get(row.get("license"), ""))
        found.extras.append({key: row[key] for key in row if key not in _IMAGE_KEYS})
        found.places.append(where)

    def _listed(self) -> Listed:
        ids = np.fromiter(self._all, np.int64, len(self._all))
        order = np.argsort(ids)
        sizes = np.array(list(self._all.values()), np.int64).reshape(-1, 2)[order]
        return Listed(self.file.name, ids[order], sizes[:, 0], sizes[:, 1], self.names)

    def position_of_taken(self) -> npt.NDArray[np.int64]:
        """For each image of `listed` its position in `images`, -1 where the row was a problem."""
        at = np.full(len(self.listed.image_ids), -1)
        at[self.listed.at(np.array(self.images.ids, np.int64))] = np.arange(len(self.images.ids))
        return at


def metadata_of(extra: dict[str, Any]) -> dict[str, str | int | float | bool]:
    """What of an image row becomes metadata: plain values under plain names, but for the file's own numbers."""
    return {
        k: v for k, v in extra.items()
        if k not in ("id", "license") and coco_rows.is_plain(v) and k.isidentifier() and k.isascii()
    }  # fmt: skip
