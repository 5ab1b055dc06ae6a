"""The columns in which every format hands over images and annotations."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets.model import MetadataValue
from calotype.foundation.ids import canonical_json

_DUMP = msgspec.json.Encoder(order="sorted")
_TAGS = pa.list_(pa.string())


@dataclass(frozen=True, slots=True)
class Problem:
    """One item that cannot be imported: its place, a reason, and the item itself.

    `kind` is "invalid" (broken geometry, wrong type, dangling reference), "missing-file" or "unreadable" (a file or
    folder); `what` is "image", "annotation", "class" or "folder". Unknown classes are found later, against the
    dataset's ontology.
    """

    kind: str
    what: str
    where: str
    reason: str
    item: Any = None

    @property
    def code(self) -> str:
        """The error code under which it is quarantined."""
        if self.what == "class":
            return "class-invalid"
        return {"missing-file": "file-missing", "unreadable": "file-unreadable"}.get(
            self.kind, "annotation-invalid"
        )


@dataclass(frozen=True, slots=True)
class DeclaredClass:
    """A class that the label files declare, with the id they give it (kept when it is free)."""

    name: str
    id: int | None = None
    supercategory: str = ""
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelIndex:
    """What the rows of one source refer to: sorted image ids, sizes in pixels (0 where unknown), class names."""

    file: str
    image_ids: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]
    heights: npt.NDArray[np.int64]
    classes: Mapping[int, str]

    def positions(self, image_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Position of each id, -1 where it is not listed."""
        if len(self.image_ids) == 0:
            return np.full(len(image_ids), -1)
        first, last = int(self.image_ids[0]), int(self.image_ids[-1])
        if last - first == len(self.image_ids) - 1 and len(
            image_ids
        ):  # numbered without gaps, as in most files
            is_listed = (image_ids >= first) & (image_ids <= last)
            return np.where(is_listed, np.where(is_listed, image_ids, first) - first, -1)
        nearest = np.minimum(np.searchsorted(self.image_ids, image_ids), len(self.image_ids) - 1)
        return np.where(self.image_ids[nearest] == image_ids, nearest, -1)


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One image of a source as a value."""

    name: str
    split: str
    licence: str
    tags: tuple[str, ...]
    metadata: Mapping[str, MetadataValue]
    extra: Mapping[str, Any]
    place: str


@dataclass(frozen=True, slots=True)
class ImageColumns:
    """The images of a source in its order, as columns of equal length; texts are Arrow's to keep a million small.

    `ids` are those of the `LabelIndex`. `names` become the names of samples (relative, posix). `widths` and `heights`
    are pixels, 0 where the source does not say. `metadata` and `extras` are JSON texts, empty where there is none.
    `place` tells where in the files an image is listed.
    """

    ids: npt.NDArray[np.int64]
    names: pa.ChunkedArray
    widths: npt.NDArray[np.int32]
    heights: npt.NDArray[np.int32]
    licences: pa.ChunkedArray
    splits: pa.ChunkedArray
    tags: pa.ChunkedArray
    metadata: pa.ChunkedArray
    extras: pa.ChunkedArray
    place: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.ids)

    def values(self, positions: Sequence[int] | npt.NDArray[np.int64]) -> list[ListedImage]:
        """Some of the images as values."""
        chosen = pa.array(positions, pa.int64())
        texts = (self.names, self.splits, self.licences, self.tags, self.metadata, self.extras)
        columns = [column.take(chosen).to_pylist() for column in texts]
        return [
            ListedImage(
                name, split, licence, tuple(tags or ()), from_text(metadata), from_text(extra), self.place(at)
            )
            for at, name, split, licence, tags, metadata, extra in zip(
                chosen.to_pylist(), *columns, strict=True
            )
        ]


class ImageColumnsBuilder:
    """Collects images row by row; `end_chunk` moves the texts collected so far into Arrow."""

    _TEXTS = ("names", "licences", "splits", "metadata", "extras")

    def __init__(self) -> None:
        self._ids = array("q")
        self._widths, self._heights = array("i"), array("i")
        self._texts: dict[str, list[str]] = {name: [] for name in self._TEXTS}
        self._tags: list[Sequence[str] | None] = []
        self._chunks: dict[str, list[pa.Array]] = {name: [] for name in (*self._TEXTS, "tags")}

    def add(self, identity: int, image: ListedImage, *, width: int = 0, height: int = 0) -> None:
        """One image given as a value."""
        self.add_texts(
            identity,
            (image.name, image.licence, image.split, to_text(image.metadata), to_text(image.extra)),
            (width, height),
            image.tags or None,
        )

    def add_texts(
        self,
        identity: int,
        texts: tuple[str, str, str, str, str],
        size_wh: tuple[int, int],
        tags: Sequence[str] | None = None,
    ) -> None:
        """One image: its name, licence, split, metadata and extra keys as texts, and its size in pixels."""
        self._ids.append(identity)
        self._widths.append(size_wh[0])
        self._heights.append(size_wh[1])
        for values, text in zip(self._texts.values(), texts, strict=True):
            values.append(text)
        self._tags.append(tags)

    def add_columns(
        self, ids: npt.NDArray[np.int64], texts: Sequence[pa.Array], sizes_wh: Sequence[npt.NDArray[np.int64]]
    ) -> None:
        """Many images at once: texts as of `add_texts` and sizes, a column each."""
        self.end_chunk()
        self._ids.frombytes(ids.astype(np.int64).tobytes())
        self._widths.frombytes(sizes_wh[0].astype(np.int32).tobytes())
        self._heights.frombytes(sizes_wh[1].astype(np.int32).tobytes())
        for name, column in zip(self._TEXTS, texts, strict=True):
            self._chunks[name].append(column.cast(pa.string()))
        self._chunks["tags"].append(pa.nulls(len(ids), _TAGS))

    def end_chunk(self) -> None:
        """Move the texts of the rows added since the last call into Arrow."""
        for name, values in self._texts.items():
            self._chunks[name].append(pa.array(values, pa.string()))
            values.clear()
        self._chunks["tags"].append(pa.array(self._tags, _TAGS))
        self._tags.clear()

    def build(self, place: Callable[[int], str]) -> ImageColumns:
        """The columns of everything added."""
        self.end_chunk()
        texts = {name: pa.chunked_array(self._chunks[name], pa.string()) for name in self._TEXTS}
        return ImageColumns(
            ids=np.array(self._ids, np.int64),
            widths=np.array(self._widths, np.int32),
            heights=np.array(self._heights, np.int32),
            tags=pa.chunked_array(self._chunks["tags"], _TAGS),
            place=place,
            **texts,
        )


def no_images() -> ImageColumns:
    """The columns of a source that lists no images."""
    return ImageColumnsBuilder().build(str)


@dataclass
class Window:
    """Some thousand annotations as columns.

    `image` is a position in the `LabelIndex` and `category` a number of its classes. `source_id` is what the file calls
    the annotation: whole numbers, or texts where `identities` is given; null where the file gives none. `columns` are
    the drawn columns of `rows.ANNOTATION_SCHEMA`. `problems` are rows that cannot be imported.

    A row keeps its id from one import to the next. It is derived from `identities` (texts), and where that is None from
    the number in `source_id` or else from the columns.
    """

    file: str
    image: npt.NDArray[np.int64]
    category: npt.NDArray[np.int64]
    source_id: pa.Array
    columns: dict[str, pa.Array]
    problems: list[Problem] = field(default_factory=list)
    identities: list[str] | None = None
    places: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.image)

    def place(self, at: int) -> str:
        """The place of a row in the files."""
        return f"{self.file} annotation {self.source_id[at]}" if self.places is None else self.places[at]

    def filter(self, keep: npt.NDArray[np.bool_]) -> Window:
        """The rows to keep; problems are left out."""
        mask = pa.array(keep)
        chosen = np.flatnonzero(keep).tolist()
        return Window(
            self.file,
            self.image[keep],
            self.category[keep],
            self.source_id.filter(mask),
            {name: column.filter(mask) for name, column in self.columns.items()},
            identities=None if self.identities is None else [self.identities[at] for at in chosen],
            places=None if self.places is None else [self.places[at] for at in chosen],
        )


def duplicate_ids(ids: Sequence[pa.Array]) -> set[int]:
    """Numbers that occur more than once in the source ids of several windows."""
    if not ids:
        return set()
    numbers = pa.concat_arrays(ids).drop_null().to_numpy()
    if np.all(numbers[1:] > numbers[:-1]):  # as in most files; a million numbers need no sorting then
        return set()
    numbers = np.sort(numbers)
    return set(numbers[1:][numbers[1:] == numbers[:-1]].tolist())


def without_ids(window: Window, ids: set[int]) -> Window:
    """The window without the rows of these source ids; each becomes a problem."""
    if not ids:
        return window
    numbers = window.source_id.to_pylist()
    keep = np.array([number not in ids for number in numbers], bool)
    if keep.all():
        return window
    problems = [
        Problem("invalid", "annotation", window.place(at), f"its id {numbers[at]} is given twice")
        for at in np.flatnonzero(~keep).tolist()
    ]
    kept = window.filter(keep)
    kept.problems = [*window.problems, *problems]
    return kept


def to_text(value: Mapping[str, Any]) -> str:
    """A mapping as JSON with sorted keys; empty for an empty one."""
    if not value:
        return ""
    try:
        return _DUMP.encode(value).decode()
    except OverflowError:  # a number of more than 64 bits
        return canonical_json(value)


def from_text(text: str) -> dict[str, Any]:
    """The mapping of such a text."""
    value: dict[str, Any] = msgspec.json.decode(text) if text else {}
    return value
