"""Formats that parse whole files into values: the shared way from those values to a source of windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.fields import can_be_field
from calotype.datasets.model import Kind
from calotype.formats.box_rows import BoxRows, BoxTables
from calotype.formats.found_sizes import Turn, compare_sizes, turned_window
from calotype.formats.image_files import ImageFile, image_file
from calotype.formats.notices import Loss, Notice, Notices
from calotype.formats.passthrough import class_name_problem, escaped, image_name_problem, shown, value_problem
from calotype.formats.windows import (
    DeclaredClass,
    ImageColumns,
    ImageColumnsBuilder,
    LabelIndex,
    ListedImage,
    Problem,
    Window,
    no_images,
)
from calotype.foundation.ids import canonical_json

WINDOW_ROWS = 10_000
_COLUMNS = tuple(column.name for column in rows.DRAWN_FIELDS)


@dataclass(frozen=True, slots=True)
class ParsedImage:
    """One image that the label files list.

    `key` joins annotations to it inside this source; `name` becomes the sample's name (relative, posix); `path` is the
    file found for it, None when missing; `size_wh` is in pixels of the upright image, None where unknown.
    """

    key: str
    name: str
    path: Path | str | None
    split: str = ""
    tags: tuple[str, ...] = ()
    where: str = ""
    licence: str = ""
    metadata: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    size_wh: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ParsedAnnotation:
    """One annotation in pixels of the upright image, its class still a name. Geometry as in `model.Annotation`."""

    image_key: str
    class_name: str
    kind: Kind
    where: str
    bbox_xywh_px: tuple[float, float, float, float] | None = None
    rings_px: tuple[tuple[float, ...], ...] = ()
    mask_rle: str = ""
    mask_size_hw: tuple[int, int] | None = None
    keypoints_xyv: tuple[float, ...] = ()
    area_px: float | None = None
    score: float | None = None
    iscrowd: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    source_id: str = ""


class AnnotationList(Sequence[ParsedAnnotation]):
    """Annotations in their order, in little memory: plain boxes as numbers, all others as values.

    A place may be empty: `None`, for an annotation that is broken; it is left out of what is copied.
    """

    def __init__(self, tables: BoxTables) -> None:
        self.boxes = BoxRows(tables)
        self.values: dict[int, ParsedAnnotation | None] = {}

    def __len__(self) -> int:
        return len(self.boxes)

    @overload
    def __getitem__(self, at: int) -> ParsedAnnotation: ...
    @overload
    def __getitem__(self, at: slice) -> list[ParsedAnnotation]: ...
    def __getitem__(self, at: int | slice) -> ParsedAnnotation | list[ParsedAnnotation]:
        if isinstance(at, slice):
            return [item for i in range(*at.indices(len(self))) if (item := self.item(i)) is not None]
        item = self.item(range(len(self))[at])
        if item is None:
            raise IndexError(at)
        return item

    def item(self, at: int) -> ParsedAnnotation | None:
        """The annotation at a place, None where it is empty."""
        if at in self.values:
            return self.values[at]
        row, tables = self.boxes[at], self.boxes.tables
        key, name = tables.image_keys[row.image], tables.class_names[row.class_number]
        area, attributes = row.box[2] * row.box[3], tables.attributes[row.attributes]
        return ParsedAnnotation(
            key, name, Kind.BOX, self.boxes.place(at), row.box, area_px=area, attributes=attributes
        )

    def append(self, value: ParsedAnnotation | None) -> None:
        """Add a value, or an empty place."""
        self.values[len(self)] = value
        self.boxes.add((0, 0, 0, 0), (0.0, 0.0, 0.0, 0.0))

    def extend(self, other: AnnotationList, start: int, stop: int) -> None:
        """Add some annotations of another list with the same tables."""
        if other.are_boxes(start, stop):
            self.boxes.extend(other.boxes, start, stop)
            return
        for at in range(start, stop):
            if at not in other.values:
                self.boxes.extend(other.boxes, at, at + 1)
            elif other.values[at] is not None:
                self.append(other.values[at])

    def are_boxes(self, start: int, stop: int) -> bool:
        """Whether all of some annotations are plain boxes."""
        return not self.values or not any(at in self.values for at in range(start, stop))

    def classes(self, start: int, stop: int) -> set[str]:
        """The names of the classes of some annotations."""
        if self.are_boxes(start, stop):
            return self.boxes.classes(start, stop)
        return {item.class_name for item in self[start:stop]}


@dataclass(frozen=True, slots=True)
class ParsedLabels:
    """Everything that label files say. Every annotation's `image_key` is that of one of the images.

    `warnings` are adjustments that kept the item; `info` holds file-level keys kept for round trips.
    """

    images: Sequence[ParsedImage]
    annotations: Sequence[ParsedAnnotation]
    classes: Sequence[DeclaredClass]
    problems: Sequence[Problem] = ()
    losses: Sequence[Loss] = ()
    warnings: Sequence[Notice] = ()
    info: Mapping[str, Any] = field(default_factory=dict)


class ParsedSource:
    """Parsed values as a `LabelSource`."""

    def __init__(self, file: str, parsed: ParsedLabels) -> None:
        parsed = _storable(parsed)
        self.file = file
        self.problems = parsed.problems
        self.losses = parsed.losses
        self.warnings: Sequence[Notice] = parsed.warnings
        self.info = parsed.info
        self.classes = _all_classes(parsed)
        self.images = _columns(parsed.images)
        self._annotations = parsed.annotations
        self._paths = [image.path for image in parsed.images]
        self._turns: dict[int, Turn] = {}
        self._position = {image.key: at for at, image in enumerate(parsed.images)}
        names = dict(enumerate(declared.name for declared in self.classes))
        self._number = {name: number for number, name in names.items()}
        sizes = np.array([image.size_wh or (0, 0) for image in parsed.images], np.int64).reshape(-1, 2)
        self.index = LabelIndex(file, np.arange(len(sizes)), sizes[:, 0], sizes[:, 1], names)

    def locate(self, start: int, stop: int) -> Iterator[ImageFile | None]:
        """The file of each of the images at these positions, None where it is missing."""
        return (None if path is None else image_file(str(path)) for path in self._paths[start:stop])

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The annotations in their order."""
        for start in range(0, len(self._annotations), WINDOW_ROWS):
            stop = min(start + WINDOW_ROWS, len(self._annotations))
            if isinstance(self._annotations, AnnotationList) and self._annotations.are_boxes(start, stop):
                window = self._window_of_boxes(self._annotations.boxes, start, stop)
            else:
                window = self._window(self._annotations[start:stop])
            yield turned_window(window, self._turns)

    def sizes_found(self, found_wh: npt.NDArray[np.int64]) -> None:
        """Report sizes that differ, and turn what was stated in the stored frame."""
        notices = Notices()
        self._turns = compare_sizes(self.images, found_wh, lambda at: next(self.locate(at, at + 1)), notices)
        self.warnings = (*self.warnings, *notices.listed())

    def release_images(self) -> None:
        """Free the memory of `images`."""
        self.images = no_images()
        self._paths = []

    def _window(self, annotations: Sequence[ParsedAnnotation]) -> Window:
        table = rows.drawn_to_arrow(annotations)
        return Window(
            self.file,
            np.array([self._position[a.image_key] for a in annotations], np.int64),
            np.array([self._number[a.class_name] for a in annotations], np.int64),
            pa.array([a.source_id or None for a in annotations], pa.string()),
            {name: table[name].combine_chunks() for name in _COLUMNS},
            identities=[_identity(a) for a in annotations],
            places=[a.where for a in annotations],
        )

    def _window_of_boxes(self, boxes: BoxRows, start: int, stop: int) -> Window:
        whole, tables = boxes.whole(start, stop), boxes.tables
        images = [self._position[tables.image_keys[number]] for number in whole[:, 0].tolist()]
        of_class = [self._number.get(name, -1) for name in tables.class_names]
        return Window(
            self.file,
            np.array(images, np.int64),
            np.array(of_class, np.int64)[whole[:, 1]],
            pa.nulls(stop - start, pa.string()),
            boxes.columns(start, stop),
            identities=[f"content:{text}" for text in boxes.contents(start, stop)],
            places=[boxes.place(at) for at in range(start, stop)],
        )


def _storable(parsed: ParsedLabels) -> ParsedLabels:
    """The labels without what cannot be stored; each becomes a problem. Names that are not UTF-8 are escaped."""
    problems = list(parsed.problems)
    images, fields = [], _Fields()
    for image in parsed.images:
        problem = image_name_problem(escaped(image.name))
        if problem:
            problems.append(Problem("invalid", "image", image.where, problem))
        else:
            images.append(fields.fitting(_escaped_image(image)))
    classes = [declared for declared in parsed.classes if not class_name_problem(declared.name)]
    warnings = (*parsed.warnings, *fields.notices.listed())
    if len(images) == len(parsed.images) and _are_storable(parsed.annotations):
        return replace(parsed, images=images, classes=classes, problems=problems, warnings=warnings)
    keys = {image.key for image in images}
    annotations = []
    for annotation in parsed.annotations:
        problem = class_name_problem(annotation.class_name)
        problem = problem and f"its class cannot be used: {problem}"
        problem = problem or value_problem([dict(annotation.attributes), dict(annotation.extra)])
        if annotation.image_key not in keys:
            problem = "its image could not be imported"
        if problem:
            problems.append(Problem("invalid", "annotation", annotation.where, problem))
        else:
            is_plain = annotation.source_id.isascii()
            annotations.append(
                annotation if is_plain else replace(annotation, source_id=escaped(annotation.source_id))
            )
    return replace(
        parsed, images=images, annotations=annotations, classes=classes, problems=problems, warnings=warnings
    )


def _escaped_image(image: ParsedImage) -> ParsedImage:
    texts = (image.name, image.split, image.licence, image.where, *image.tags)
    if all(map(str.isascii, texts)):
        return image
    return replace(
        image,
        name=escaped(image.name),
        split=escaped(image.split),
        licence=escaped(image.licence),
        where=escaped(image.where),
        tags=tuple(map(escaped, image.tags)),
    )


class _Fields:
    """The metadata of images as a dataset can hold it: names that can be fields, one type for each."""

    def __init__(self) -> None:
        self.notices = Notices()
        self._types: dict[str, type] = {}

    def fitting(self, image: ParsedImage) -> ParsedImage:
        """The image with what cannot be a field among its further keys, or left out where nothing can hold it."""
        if not (image.metadata or image.extra):
            return image
        aside = {name: value for name, value in image.metadata.items() if not self._fits(name, value)}
        lost = [key for key, value in (*aside.items(), *image.extra.items()) if value_problem({key: value})]
        if not (aside or lost):
            return image
        for name in lost:
            self.notices.add("value-dropped", f"{image.name}: {shown(name)}")
        for name in aside.keys() - set(lost):
            self.notices.add("value-aside", f"{image.name}: {name}")
        metadata = {name: value for name, value in image.metadata.items() if name not in aside}
        extra = {key: value for key, value in {**aside, **image.extra}.items() if key not in lost}
        return replace(image, metadata=metadata, extra=extra)

    def _fits(self, name: str, value: Any) -> bool:
        if not can_be_field(name) or value_problem(value):
            return False
        if type(value) is int and not -(2**63) <= value < 2**63:
            return False
        kind = float if type(value) is int else type(value)
        return self._types.setdefault(name, kind) is kind


def _are_storable(annotations: Sequence[ParsedAnnotation]) -> bool:
    """Whether all can be stored, looked at without making values; False where that is not known."""
    if not isinstance(annotations, AnnotationList) or annotations.values:
        return False
    tables = annotations.boxes.tables
    return not any(map(class_name_problem, tables.class_names)) and not any(
        value_problem(dict(attributes)) for attributes in tables.attributes
    )


def _class_names(annotations: Sequence[ParsedAnnotation]) -> Iterable[str]:
    if isinstance(annotations, AnnotationList) and not annotations.values:
        return annotations.boxes.tables.class_names
    return dict.fromkeys(annotation.class_name for annotation in annotations)


def _all_classes(parsed: ParsedLabels) -> list[DeclaredClass]:
    """The declared classes, then those that only annotations name."""
    classes: dict[str, DeclaredClass] = {}
    for declared in parsed.classes:
        classes.setdefault(declared.name, declared)
    for name in _class_names(parsed.annotations):
        classes.setdefault(name, DeclaredClass(name))
    return list(classes.values())


def _columns(images: Sequence[ParsedImage]) -> ImageColumns:
    builder = ImageColumnsBuilder()
    for at, image in enumerate(images):
        width, height = image.size_wh or (0, 0)
        value = ListedImage(
            image.name, image.split, image.licence, image.tags, image.metadata, image.extra, image.where
        )
        builder.add(at, value, width=width, height=height)
    places = [image.where for image in images]
    return builder.build(places.__getitem__)


def _identity(a: ParsedAnnotation) -> str:
    """What makes it the same annotation in another edition of the file: its id, or else its content."""
    if a.source_id:
        return f"id:{a.source_id}"
    content = [a.class_name, str(a.kind), a.bbox_xywh_px, a.rings_px, a.mask_rle, a.keypoints_xyv, a.score]
    return f"content:{canonical_json(content)}"
