"""The masks of Pascal VOC: `SegmentationObject` numbers the objects of an image, `SegmentationClass` their classes.

Object n of the image is the n-th `object` of the XML file; 0 is background and 255 is void (not evaluated).
Source: the VOC2012 development kit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calotype.datasets.model import Kind
from calotype.formats.image_tree import ImageTree
from calotype.formats.values import ParsedAnnotation
from calotype.formats.windows import Problem
from calotype.foundation.durable import read_file
from calotype.trainer_formats.voc.palette import VOID, class_names, indexes_of_colours
from calotype.vision import masks
from calotype.vision.images import ImageUnreadable
from calotype.vision.number_images import decode_numbers, is_coloured

_MAX_BYTES = 200_000_000
_MAX_OBJECTS = 10_000
_FOLDERS = ("SegmentationObject", "SegmentationClass")

Numbers = npt.NDArray[np.int64]


@dataclass
class Segments:
    """The masks of one dataset in a tree."""

    tree: ImageTree
    root: str
    problems: list[Problem]

    def __post_init__(self) -> None:
        self._by_index, self._by_colour = class_names(self.tree, self.root)
        self.is_there = any(self.tree.has(self._folder(name)) for name in _FOLDERS)

    def with_masks(
        self, name: str, key: str, objects: list[ParsedAnnotation | None]
    ) -> list[ParsedAnnotation]:
        """The objects of an image, with masks where there are some, and those that only the masks have.

        Args:
            name: The path of the image below its folder, without the ending.
            objects: Those of the XML file in their order; None for one that is broken.
        """
        found = [None if item is None else item for item in objects]
        numbers, classes = self._object_numbers(name), self._classes(name)
        if numbers is None:
            return [*filter(None, found), *self._regions(classes, key)]
        if classes is not None and classes.shape != numbers.shape:
            self._problem(key, "its two images of segments differ in size")
            classes = None
        values = np.unique(numbers)
        for number in values[(values > 0) & (values != VOID)][:_MAX_OBJECTS].tolist():
            mask = numbers == number
            class_name = "" if classes is None else self._commonest(classes[mask])
            at = _matching(found, number - 1, mask, class_name)
            stated = found[at] if at is not None else None
            if stated is not None and at is not None:
                found[at] = _masked(stated, mask)
            elif class_name:
                where = f"{key} segment {number}"
                found.append(_masked(ParsedAnnotation(key, class_name, Kind.BOX, where), mask))
            else:
                self._problem(key, f"its segment {number} belongs to no object and no class")
        return [item for item in found if item is not None]

    def _regions(self, classes: Numbers | None, key: str) -> list[ParsedAnnotation]:
        """One mask for each class, where nothing tells its objects apart."""
        if classes is None:
            return []
        regions = []
        for number in np.unique(classes).tolist():
            name = self._class(number)
            if name:
                part = ParsedAnnotation(key, name, Kind.BOX, f"{key} class {name}")
                regions.append(_masked(part, classes == number))
        return regions

    def _object_numbers(self, name: str) -> Numbers | None:
        read = self._read(_FOLDERS[0], name)
        if read is None:
            return None
        numbers, coloured = read
        if not coloured:
            return numbers
        indexes = indexes_of_colours(numbers)
        return (
            indexes
            if (indexes >= 0).all()
            else np.unique(numbers, return_inverse=True)[1].reshape(numbers.shape)
        )

    def _classes(self, name: str) -> Numbers | None:
        """(H, W) of indexes, or of colours from 256 on."""
        read = self._read(_FOLDERS[1], name)
        if read is None:
            return None
        numbers, coloured = read
        return np.where(numbers > 0, numbers + 256, 0) if coloured else numbers

    def _class(self, number: int) -> str:
        return self._by_colour.get(number - 256, "") if number >= 256 else self._by_index.get(number, "")

    def _commonest(self, numbers: Numbers) -> str:
        values, counts = np.unique(numbers, return_counts=True)
        order = np.argsort(-counts)
        return next((name for n in values[order].tolist() if (name := self._class(n))), "")

    def _read(self, folder: str, name: str) -> tuple[Numbers, bool] | None:
        """The numbers of a PNG, and whether they are colours; None where it is missing or broken."""
        inner, _, stem = name.rpartition("/")
        place = "/".join(part for part in (self._folder(folder), inner) if part)
        if f"{stem}.png" not in self.tree.names_in(place):
            return None
        path = f"{place}/{stem}.png"
        try:
            data = read_file(self.tree.file(path), max_bytes=_MAX_BYTES) or b""
            return decode_numbers(data), is_coloured(data)
        except (ImageUnreadable, OSError) as error:
            self._problem(path, f"it cannot be read: {error}")
            return None

    def _folder(self, name: str) -> str:
        return f"{self.root}/{name}" if self.root else name

    def _problem(self, where: str, reason: str) -> None:
        self.problems.append(Problem("invalid", "annotation", where, reason))


def _masked(item: ParsedAnnotation, mask: npt.NDArray[np.bool_]) -> ParsedAnnotation:
    rle = masks.encode(mask)
    return replace(
        item,
        kind=Kind.MASK,
        bbox_xywh_px=item.bbox_xywh_px or rle.bbox_xywh_px(),
        rings_px=(),
        mask_rle=masks.to_string(rle),
        mask_size_hw=rle.size_hw,
        area_px=float(rle.area_px),
    )


def _matching(
    objects: list[ParsedAnnotation | None], at: int, mask: npt.NDArray[np.bool_], class_name: str
) -> int | None:
    """The object of a mask: the one of its number, where box and class agree."""
    item = objects[at] if at < len(objects) else None
    if item is None or item.bbox_xywh_px is None or item.kind is Kind.MASK:
        return None
    if class_name and item.class_name != class_name:
        return None
    x, y, w, h = item.bbox_xywh_px
    left, top, width, height = masks.encode(mask).bbox_xywh_px()
    meets = x <= left + width and left <= x + w and y <= top + height and top <= y + h
    return at if meets else None
