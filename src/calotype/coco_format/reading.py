"""One COCO file opened: images as columns, classes, file-level keys, annotations window by window."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.coco_format import head as coco_head
from calotype.coco_format import rows as coco_rows
from calotype.coco_format import windows as coco_windows
from calotype.coco_format.files import refused
from calotype.coco_format.ids import MADE_UP, Ids
from calotype.coco_format.json_rows import JsonRows
from calotype.coco_format.layout import Contents, contents_of, split_of
from calotype.coco_format.typed_images import TypedImages, typed_images
from calotype.formats.found_sizes import Turn, compare_sizes
from calotype.formats.image_files import ImageFile, image_file
from calotype.formats.image_tree import ImageTree
from calotype.formats.notices import Loss, Notice, Notices
from calotype.formats.passthrough import Broken, image_name_problem, shown, value_problem
from calotype.formats.stated_names import name_problem, relative_name
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


class _CocoSource:
    """What both kinds of files have in common."""

    losses: tuple[Loss, ...] = ()

    def __init__(self, path: Path, json: JsonRows) -> None:
        self.path = path
        self.file = path.name
        self.problems: list[Problem] = []
        self.classes: list[DeclaredClass] = []
        self.images: ImageColumns = no_images()
        self.notices = Notices()
        self.given_elsewhere: Mapping[int, coco_windows.Place] = {}
        self._json = json
        self._ids = Ids()
        self._of_pass = Notices()
        self._turns: dict[int, Turn] = {}

    @property
    def warnings(self) -> Sequence[Notice]:
        """What was adjusted when the file was opened, and in the last pass over its rows."""
        both = Notices()
        both.add_all((*self.notices.listed(), *self._of_pass.listed()))
        return both.listed()

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The annotations. Raises: LabelFileUnreadable."""
        self._of_pass = Notices()
        reading = coco_windows.RowReading(self._ids, self._of_pass, self.given_elsewhere, self._turns)
        return coco_windows.windows(self._json, index, reading)

    def sizes_found(self, found_wh: npt.NDArray[np.int64]) -> None:
        """Nothing: the file states no sizes."""

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

    `paths` are the files of its images relative to `tree`, None where missing; `pairing` finds them.

    Raises: LabelFileUnreadable.
    """

    def __init__(self, path: Path, json: JsonRows, tree: ImageTree) -> None:
        super().__init__(path, json)
        if "images" not in json.keys:
            raise refused(path, "the list `images` is missing", "export the file again with its images")
        start = json.start_of("annotations")
        self.contents = contents_of(start, path, has_annotations="annotations" in json.keys)
        self.split = split_of(path)
        self.tree = tree
        self.paths: list[str | None] = []
        lost = coco_head.Lost()
        read = coco_head.categories(json, lost, self._ids, self.notices)
        if self.contents is Contents.CAPTIONS and coco_rows.CAPTION_CLASS not in read.names.values():
            read.names[MADE_UP - 1] = coco_rows.CAPTION_CLASS
            read.classes.append(DeclaredClass(coco_rows.CAPTION_CLASS))
        self.classes, self.problems = read.classes, read.problems
        self._licences = coco_head.licences(json, lost)
        self._kept = coco_head.storable_keys(json, _LISTS, lost)
        self.losses = lost.losses()
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
        root = str(self.tree.root)
        return ((path and image_file(f"{root}/{path}")) or None for path in self.paths[start:stop])

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The annotations. Raises: LabelFileUnreadable."""
        if self.contents is not Contents.CAPTIONS:
            return super().windows(index)
        return (coco_windows.with_identities(window, "caption") for window in super().windows(index))

    def places(self) -> dict[int, coco_windows.Place]:
        """Where each annotation with an id is. Raises: LabelFileUnreadable."""
        return {
            row["id"]: (row["image_id"], *map(float, row["bbox"]))
            for rows in self._json.rows("annotations")
            for row in rows
            if type(row) is dict and coco_windows.is_plain_box(row)
        }

    def sizes_found(self, found_wh: npt.NDArray[np.int64]) -> None:
        """Report sizes that differ, and turn what was stated in the stored frame."""
        if self.index is None:
            return
        turns = compare_sizes(self.images, found_wh, lambda at: next(self.locate(at, at + 1)), self.notices)
        places = self.index.positions(self.images.ids[list(turns)]) if turns else ()
        self._turns = dict(zip(map(int, places), turns.values(), strict=True))

    def release_images(self) -> None:
        """Free the memory of `images`; `index` stays."""
        super().release_images()
        self.paths = []

    def _read_images(self) -> ImageColumns:
        builder = ImageColumnsBuilder()
        listed_at = array("q")
        at = 0
        with collector_paused():
            for rows in self._json.typed_rows("images", typed_images):
                if isinstance(rows, TypedImages):
                    self._add_typed(rows, builder)
                    listed_at.extend(range(at, at + len(rows)))
                    at += len(rows)
                    continue
                for row in rows:
                    if self._read_image(row, at, builder):
                        listed_at.append(at)
                    at += 1
                builder.end_chunk()
        return builder.build(lambda position: f"{self.file} images[{listed_at[position]}]")

    def _add_typed(self, images: TypedImages, builder: ImageColumnsBuilder) -> None:
        """Add images that have no problem."""
        n = len(images)
        for values, column in zip(self._all, (images.ids, images.widths, images.heights), strict=True):
            values.frombytes(column.tobytes())
        licences = images.licences and [self._licences.get(number, "") for number in images.licences]
        nothing = pa.repeat("", n)
        texts = (
            pa.array(images.names),
            pa.array(licences) if licences else nothing,
            pa.repeat(self.split, n),
            pa.array(images.metadata) if images.metadata else nothing,
            pa.array(images.extras),
        )
        builder.add_columns(images.ids, texts, (images.widths, images.heights))

    def _read_image(self, row: Any, at: int, builder: ImageColumnsBuilder) -> bool:
        """Add one image; False where it is a problem."""
        if type(row) is dict and type(row.get("id")) in (str, float):
            row = self._with_number(row, at)
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
        problem = image_name_problem(name) or value_problem(extra) or name_problem(name)
        if problem:
            return self._reject(at, problem)
        if "\\" in name:
            self.notices.add("name-separator", f"{self.file} images[{at}]: {name}"[:200])
        number = row.get("license")
        licence = self._licences.get(number, "") if isinstance(number, int | str) else ""
        texts = (relative_name(name), licence, self.split, to_text(_metadata_of(extra)), to_text(extra))
        builder.add_texts(identity, texts, (width, height))
        return True

    def _with_number(self, row: dict[str, Any], at: int) -> dict[str, Any]:
        """The row with a number for its id."""
        number = self._ids.declare("image_id", row["id"])
        if number is None:
            return row
        self.notices.add("id-as-text", f"{self.file} images[{at}] id {row['id']!r}"[:200])
        return {**row, "id": number}

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
