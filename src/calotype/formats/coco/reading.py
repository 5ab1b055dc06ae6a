"""One COCO file opened: images as columns, classes, file-level keys, annotations window by window."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from calotype.formats.base import LabelSource
from calotype.formats.coco import head as coco_head
from calotype.formats.coco import rows as coco_rows
from calotype.formats.coco import windows as coco_windows
from calotype.formats.coco.files import image_folder, leaves_folder, refused, split_of
from calotype.formats.coco.json_rows import JsonRows
from calotype.formats.image_files import ImageFile, ImageFolder
from calotype.formats.notices import Loss, Notice
from calotype.formats.passthrough import Broken, image_name_problem, shown, value_problem
from calotype.formats.windows import (
    DeclaredClass,
    ImageColumns,
    ImageColumnsBuilder,
    LabelIndex,
    Problem,
    Window,
    no_images,
    to_text,
)
from calotype.foundation.collector import collector_paused

_IMAGE_KEYS = frozenset({"file_name", "width", "height"})
_LISTS = ("images", "annotations", "categories")


def open_file(path: Path, images: Path | None) -> LabelSource:
    """A COCO file: an object with images and annotations, or a list of results. Raises: LabelFileUnreadable."""
    json = JsonRows(path)
    return CocoResults(path, json) if json.is_list else CocoFile(path, json, images or image_folder(path))


class _CocoSource:
    """What both kinds of files have in common."""

    losses: tuple[Loss, ...] = ()
    warnings: tuple[Notice, ...] = ()

    def __init__(self, path: Path, json: JsonRows) -> None:
        self.path = path
        self.file = path.name
        self.problems: list[Problem] = []
        self.classes: list[DeclaredClass] = []
        self.images: ImageColumns = no_images()
        self._json = json

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The annotations. Raises: LabelFileUnreadable."""
        return coco_windows.windows(self._json, index)

    def release_images(self) -> None:
        """Free the memory of `images`; `index` stays."""
        self.images = no_images()


class CocoResults(_CocoSource):
    """A results file: a list of annotations that refer to images and classes by the numbers of an earlier file."""

    index: LabelIndex | None = None

    @property
    def info(self) -> dict[str, Any]:
        """Empty: the file is a list."""
        return {}

    def locate(self, start: int, stop: int) -> Iterator[ImageFile | None]:
        """Nothing: the file lists no images."""
        return iter(())


class CocoFile(_CocoSource):
    """A COCO file. Its images and classes are read when it is opened; its annotations each time they are asked for.

    Raises: LabelFileUnreadable.
    """

    def __init__(self, path: Path, json: JsonRows, images: Path) -> None:
        super().__init__(path, json)
        if "images" not in json.keys:
            raise refused(path, "the list `images` is missing", "export the file again with its images")
        lost = coco_head.Lost()
        read = coco_head.categories(json, lost)
        self.classes, self.problems = read.classes, read.problems
        self._licences = coco_head.licences(json, lost)
        self._kept = coco_head.storable_keys(json, _LISTS, lost)
        self.losses = lost.losses()
        self._folder = ImageFolder(images)
        self._split = split_of(path)
        self._all = (array("q"), array("q"), array("q"))  # id, width, height of every row, also of problems
        self.images = self._read_images()
        self.index: LabelIndex | None = self._read_index(read.names)
        self._all = (array("q"), array("q"), array("q"))

    @property
    def info(self) -> dict[str, Any]:
        """Everything at the top level that can be kept, except the lists of images, annotations and categories."""
        return {key: self._json.value(key) for key in self._kept}

    def locate(self, start: int, stop: int) -> Iterator[ImageFile | None]:
        """The file of each of the images at these positions, None where it is missing."""
        return map(self._folder.find, self.images.names.slice(start, stop - start).to_pylist())

    def _read_images(self) -> ImageColumns:
        builder = ImageColumnsBuilder()
        listed_at = array("q")
        at = 0
        with collector_paused():
            for rows in self._json.rows("images"):
                for row in rows:
                    if self._read_image(row, at, builder):
                        listed_at.append(at)
                    at += 1
                builder.end_chunk()
        return builder.build(lambda position: f"{self.file} images[{listed_at[position]}]")

    def _read_image(self, row: Any, at: int, builder: ImageColumnsBuilder) -> bool:
        """Add one image; False where it is a problem."""
        if type(row) is not dict or type(row.get("id")) is not int or type(row.get("file_name")) is not str:
            reason = row.reason if type(row) is Broken else "an image needs `id` and `file_name`"
            return self._reject(at, reason)
        identity, name = row["id"], row["file_name"]
        if abs(identity) >= 2**63:
            return self._reject(at, f"id {shown(identity)} is not a number below 2**63")
        width, height = (row["width"], row["height"]) if coco_rows.is_sized(row) else (0, 0)
        for values, value in zip(self._all, (identity, width, height), strict=True):
            values.append(value)
        extra = {key: row[key] for key in row if key not in _IMAGE_KEYS}
        problem = image_name_problem(name) or value_problem(extra)
        if not problem and leaves_folder(name):
            problem = f"file name {shown(name)} leads out of the folder"
        if problem:
            return self._reject(at, problem)
        number = row.get("license")
        licence = self._licences.get(number, "") if isinstance(number, int | str) else ""
        texts = (name, licence, self._split, to_text(_metadata_of(extra)), to_text(extra))
        builder.add_texts(identity, texts, (width, height))
        return True

    def _reject(self, at: int, reason: str) -> bool:
        self.problems.append(Problem("invalid", "image", f"{self.file} images[{at}]", reason))
        return False

    def _read_index(self, classes: dict[int, str]) -> LabelIndex:
        ids, widths, heights = (np.array(values, np.int64) for values in self._all)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        repeated = np.flatnonzero(ids[1:] == ids[:-1])
        if len(repeated):
            detail = f"two images have the id {ids[repeated[0]]}"
            raise refused(self.path, detail, "give every image a distinct id")
        return LabelIndex(self.file, ids, widths[order], heights[order], classes)


def _metadata_of(extra: dict[str, Any]) -> dict[str, str | int | float | bool]:
    """The keys of an image row that become metadata: plain values under plain names, without the file's own numbers."""
    return {
        k: v
        for k, v in extra.items()
        if k not in ("id", "license") and coco_rows.is_plain(v) and k.isidentifier() and k.isascii()
    }
