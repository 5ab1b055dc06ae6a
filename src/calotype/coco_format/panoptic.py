"""COCO panoptic: an image file of segment numbers for each image, and what each segment is.

The number of a pixel is R + 256 G + 65536 B; 0 stands for none. Source: the panoptic part of the COCO data format page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.coco_format.files import Unreadable
from calotype.coco_format.json_rows import JsonRows
from calotype.coco_format.layout import root_of
from calotype.coco_format.reading import CocoFile
from calotype.coco_format.rows import LARGEST_AREA, is_whole
from calotype.datasets import rows as arrow_rows
from calotype.datasets.model import Kind
from calotype.formats.found_sizes import turned_window
from calotype.formats.image_tree import ImageSearch, ImageTree
from calotype.formats.notices import Notices
from calotype.formats.passthrough import Broken, shown, value_problem
from calotype.formats.stated_names import name_problem, relative_name
from calotype.formats.values import ParsedAnnotation
from calotype.formats.windows import LabelIndex, Problem, Window
from calotype.foundation.durable import read_file
from calotype.vision import masks
from calotype.vision.images import ImageUnreadable, decode_rgb

_IMAGES_PER_WINDOW = 50
_MAX_PNG_BYTES = 200_000_000
_SEGMENT_KEYS = frozenset({"id", "category_id", "area", "bbox", "iscrowd"})
_COLUMNS = tuple(column.name for column in arrow_rows.DRAWN_FIELDS)


class CocoPanoptic(CocoFile):
    """A panoptic file: masks that cover each image without overlap. A segment's id is its number in its image."""

    def __init__(self, path: Path, json: JsonRows, tree: ImageTree) -> None:
        super().__init__(path, json, tree)
        self._segments = ImageTree(root_of(path))
        here = self._segments.relative(path.parent)
        parents = [p for p in (here, "") if p is not None]
        folders = [f"{p}/{name}" if p else name for p in parents for name in (path.stem, "panoptic", "masks")]
        near = [folder for folder in folders if self._segments.has(folder)]
        self._search = ImageSearch(self._segments, near, parents)

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The segments as masks, those of some images at a time. Raises: LabelFileUnreadable."""
        self._of_pass = Notices()
        at = 0
        for rows in self._json.rows("annotations"):
            rows = self._ids.numbered(rows, self._of_pass, f"{self.file} annotations")
            for start in range(0, len(rows), _IMAGES_PER_WINDOW):
                some = rows[start : start + _IMAGES_PER_WINDOW]
                yield turned_window(self._window(some, at + start, index), self._turns)
            at += len(rows)

    def _window(self, rows: list[Any], start: int, index: LabelIndex) -> Window:
        values: list[tuple[int, int, ParsedAnnotation]] = []
        problems: list[Problem] = []
        for at, row in enumerate(rows, start):
            where = f"{self.file} annotations[{at}]"
            try:
                position = _position(row, index)
                numbers = self._numbers(row, index, position)
            except Unreadable as error:
                problems.append(Problem("invalid", "annotation", where, str(error)))
                continue
            segments = self._ids.numbered(row["segments_info"], self._of_pass, f"{where} segments_info")
            left = np.setdiff1d(np.unique(numbers), [0, *(s.get("id") for s in segments if _has_id(s))])
            if len(left):
                what = "segment of the image that the file does not describe: left out"
                self._of_pass.add("value-dropped", f"{where} segment {left[0]}", n=len(left), what=what)
            for n, segment in enumerate(segments):
                place = f"{where} segments_info[{n}]"
                try:
                    parsed = _segment(segment, numbers, place, index)
                except Unreadable as error:
                    problems.append(Problem("invalid", "annotation", place, str(error)))
                else:
                    values.append((position, segment["category_id"], parsed))
        return _as_window(index.file, values, problems)

    def _numbers(self, row: dict[str, Any], index: LabelIndex, position: int) -> npt.NDArray[np.int64]:
        """(H, W) segment numbers of an image. Raises: Unreadable."""
        name = row.get("file_name")
        if type(name) is not str or name_problem(name):
            raise Unreadable(name_problem(name) if type(name) is str else "it has no file_name")
        found = self._search.find(relative_name(name))
        if found is None or found.others:
            reason = "is missing" if found is None else f"could be {found.path!r} or {found.others[0]!r}"
            raise Unreadable(f"its image of segments {shown(name)} {reason}")
        try:
            data = read_file(self._segments.file(found.path), max_bytes=_MAX_PNG_BYTES)
            rgb = decode_rgb(data or b"").astype(np.int64)
        except (ImageUnreadable, OSError) as error:
            raise Unreadable(f"its image of segments {shown(name)} cannot be read: {error}") from None
        height, width = rgb.shape[:2]
        stated = (int(index.widths[position]), int(index.heights[position]))
        if all(stated) and stated != (width, height):
            raise Unreadable(f"its image of segments is {width}x{height}, the image {stated[0]}x{stated[1]}")
        return rgb[..., 0] + 256 * rgb[..., 1] + 65_536 * rgb[..., 2]


def _position(row: Any, index: LabelIndex) -> int:
    if type(row) is not dict:
        raise Unreadable(row.reason if type(row) is Broken else "it is not a JSON object")
    image_id = row.get("image_id")
    if isinstance(image_id, int) and is_whole(image_id) and -(2**63) <= image_id < 2**63:
        position = int(index.positions(np.array([image_id], np.int64))[0])
        if position >= 0:
            if not isinstance(row.get("segments_info"), list):
                raise Unreadable("its segments_info is not a list")
            return position
    raise Unreadable(f"its image_id {shown(image_id)} is not listed")


def _has_id(segment: Any) -> bool:
    if not isinstance(segment, dict):
        return False
    number = segment.get("id")
    return isinstance(number, int) and is_whole(number) and 0 < number < 2**24


def _segment(segment: Any, numbers: npt.NDArray[np.int64], place: str, index: LabelIndex) -> ParsedAnnotation:
    if type(segment) is not dict or not _has_id(segment):
        raise Unreadable("a segment needs an id from 1 to 16777215")
    if not is_whole(segment.get("category_id")) or segment["category_id"] not in index.classes:
        raise Unreadable(f"its category_id {shown(segment.get('category_id'))} is not listed")
    extra = {key: value for key, value in segment.items() if key not in _SEGMENT_KEYS}
    problem = value_problem(extra)
    if problem:
        raise Unreadable(problem)
    mask = numbers == segment["id"]
    if not mask.any():
        raise Unreadable(f"no pixel has its number {segment['id']}")
    rle = masks.encode(mask)
    area: Any = segment.get("area")
    stated = type(area) in (int, float) and 0 < area <= LARGEST_AREA
    return ParsedAnnotation(
        image_key="",
        class_name=index.classes[segment["category_id"]],
        kind=Kind.MASK,
        where=place,
        bbox_xywh_px=rle.bbox_xywh_px(),
        mask_rle=masks.to_string(rle),
        mask_size_hw=rle.size_hw,
        area_px=float(area) if stated else float(rle.area_px),
        iscrowd=bool(segment.get("iscrowd", 0)),
        extra=extra,
        source_id=str(segment["id"]),
    )


def _as_window(file: str, values: list[tuple[int, int, ParsedAnnotation]], problems: list[Problem]) -> Window:
    parsed = [value for _, _, value in values]
    table = arrow_rows.drawn_to_arrow(parsed)
    return Window(
        file,
        np.array([position for position, _, _ in values], np.int64),
        np.array([category for _, category, _ in values], np.int64),
        pa.array([value.source_id for value in parsed], pa.string()),
        {name: table[name].combine_chunks() for name in _COLUMNS},
        problems=problems,
        identities=[f"panoptic:{value.source_id}" for value in parsed],
        places=[value.where for value in parsed],
    )
