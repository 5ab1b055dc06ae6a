"""What label files say, as values: the windows of a format's sources put together, as the importer sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.model import Annotation
from calotype.formats.base import Format, LabelFileUnreadable, LabelSource
from calotype.formats.windows import DeclaredClass, ListedImage, Problem, duplicate_ids, without_ids


@dataclass(frozen=True, slots=True)
class ReadAnnotation:
    """One annotation with the names of its class and image; `image` is None where the image was rejected."""

    class_name: str
    image: str | None
    drawn: Annotation


@dataclass(frozen=True, slots=True)
class ReadLabels:
    """All sources of one reading."""

    images: list[ListedImage]
    annotations: list[ReadAnnotation]
    classes: list[DeclaredClass]
    problems: list[Problem]


def read_labels(format: Format, path: Path, *, images: Path | None = None) -> ReadLabels:
    """Everything that label files say. Raises: LabelFileUnreadable."""
    return collect(format.open(path, images=images))


def collect(sources: Sequence[LabelSource]) -> ReadLabels:
    """Everything that opened sources say; rows whose id occurs twice are problems, as in an import.

    Raises: LabelFileUnreadable for results, whose images and classes only a dataset knows.
    """
    labels = ReadLabels([], [], [], [])
    for source in sources:
        if source.index is None:
            raise LabelFileUnreadable(file=source.file, format="labels", detail="it lists no images", hint="")
        listed = source.images.values(range(len(source.images)))
        names: dict[int, str] = dict(
            zip(source.index.positions(source.images.ids).tolist(), (i.name for i in listed), strict=True)
        )
        labels.images.extend(listed)
        labels.classes.extend(source.classes)
        labels.problems.extend(source.problems)
        windows = list(source.windows(source.index))
        numbered = [window.source_id for window in windows if window.identities is None]
        duplicates = duplicate_ids(numbered)
        for window in windows:
            kept = without_ids(window, duplicates)
            labels.problems.extend(kept.problems)
            for at, drawn in enumerate(_values(kept.columns, kept.source_id)):
                class_name = source.index.classes[int(kept.category[at])]
                labels.annotations.append(ReadAnnotation(class_name, names.get(int(kept.image[at])), drawn))
    return labels


def _values(columns: dict[str, pa.Array], source_id: pa.Array) -> list[Annotation]:
    n = len(source_id)
    filled = {**columns, "source_id": source_id.cast(pa.string()).fill_null("")}
    for column in rows.ANNOTATION_SCHEMA:
        if column.name not in filled:
            empty = "" if column.type == pa.string() else 0
            filled[column.name] = pa.repeat(pa.scalar(empty, column.type), n)
    arrays = [filled[column.name].cast(column.type) for column in rows.ANNOTATION_SCHEMA]
    return rows.annotations_from_arrow(pa.Table.from_arrays(arrays, schema=rows.ANNOTATION_SCHEMA))
