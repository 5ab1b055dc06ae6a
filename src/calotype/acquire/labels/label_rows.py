"""Annotations of COCO files as rows of a label set: ids, classes and samples put in, a window at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.acquire.labels.model import aside_class, aside_image, aside_problem
from calotype.acquire.quarantine import SetAside
from calotype.datasets import row_ids, rows
from calotype.formats.coco_columns import Window, given_twice, without
from calotype.formats.coco_rows import Listed
from calotype.foundation.clock import now_us
from calotype.store.tables.tables import StageAgain
from calotype.vision.ontology import Ontology


class Source(Protocol):
    """A label file whose annotations come in windows."""

    file: Path

    def windows(self, listed: Listed) -> Iterator[Window]: ...


@dataclass
class Placing:
    """One file, the sample of each of its images (null: none), and what was learnt of its ids on the way."""

    source: Source
    listed: Listed
    samples: pa.Array
    twice: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)


@dataclass
class Placed:
    """How the rows of one reading came out."""

    n_rows: int = 0
    aside: list[SetAside] = field(default_factory=list)


def batches(
    placing: Placing,
    ontology: Ontology,
    placed: Placed,
    *,
    refused: frozenset[str],
    label_set: str,
    import_id: str,
    author: str,
) -> Iterator[pa.RecordBatch]:
    """Rows of `rows.ANNOTATION_SCHEMA` for all annotations that can be placed; the others go to `placed.aside`.

    Raises: StageAgain, LabelFileUnreadable.
    """
    classes = _class_ids(placing.listed, ontology, refused)
    source_ids: list[pa.Array] = []
    told: list[npt.NDArray[np.uint64]] = []
    seen: Counter[int] = Counter()
    constant = {"import_id": import_id, "author": author, "label_set": label_set}
    for window in placing.source.windows(placing.listed):
        source_ids.append(window.source_id)
        kept = _placeable(without(window, placing.twice, placing.listed.file), classes, placing, placed)
        if len(kept) == 0:
            continue
        batch, pairs = _batch(kept, classes, placing, seen, constant)
        told.append(pairs[kept.source_id.is_null().to_numpy(zero_copy_only=False), 0])
        placed.n_rows += len(kept)
        yield batch
    twice = given_twice(source_ids)
    repeated = _repeated(told)
    if twice - placing.twice or repeated - placing.repeated:
        placing.twice |= twice
        placing.repeated |= repeated
        raise StageAgain


def _class_ids(listed: Listed, ontology: Ontology, refused: frozenset[str]) -> dict[int, int]:
    """The file's class id -> ours; -1 for a class that is refused."""
    found = {}
    for number, name in listed.classes.items():
        known = None if name in refused else ontology.by_name(name)
        found[number] = -1 if known is None else known.id
    return found


def _placeable(window: Window, classes: dict[int, int], placing: Placing, placed: Placed) -> Window:
    """The rows that have a sample and a class; the others, and the problems, are set aside."""
    placed.aside += [aside_problem(problem) for problem in window.problems]
    has_sample = placing.samples.is_valid().to_numpy(zero_copy_only=False)[window.image]
    refused = np.array([number for number, ours in classes.items() if ours < 0], np.int64)
    has_class = ~np.isin(window.category, refused)
    keep = has_sample & has_class
    if keep.all():
        return window
    ids = window.source_id.to_pylist()
    for at in np.flatnonzero(~keep).tolist():
        where = f"{placing.listed.file} annotation {ids[at]}"
        name = placing.listed.classes[int(window.category[at])]
        placed.aside.append(aside_image(where) if has_class[at] else aside_class(name, where))
    mask = pa.array(keep)
    columns = {name: column.filter(mask) for name, column in window.columns.items()}
    return Window(window.image[keep], window.category[keep], window.source_id.filter(mask), columns)


def _batch(
    window: Window, classes: dict[int, int], placing: Placing, seen: Counter[int], constant: dict[str, str]
) -> tuple[pa.RecordBatch, row_ids.Pairs]:
    n = len(window)
    samples = placing.samples.take(pa.array(window.image))
    numbers = np.array(sorted(classes), np.int64)
    ours = np.array([classes[number] for number in numbers.tolist()], np.int32)
    class_ids = ours[np.searchsorted(numbers, window.category)]
    pairs = _told(window, samples, class_ids, placing.repeated, seen, constant["label_set"])
    columns = dict(window.columns)
    columns |= {"ann_id": row_ids.derived_ids(pairs), "sample_id": samples, "class_id": pa.array(class_ids)}
    columns["source_id"] = window.source_id.cast(pa.string()).fill_null("")
    columns |= {name: pa.repeat(constant[name], n) for name in ("author", "import_id")}
    columns["created_at_us"] = pa.repeat(now_us(), n)
    arrays = [columns[f.name].cast(f.type) for f in rows.ANNOTATION_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=rows.ANNOTATION_SCHEMA), pairs


def _told(
    window: Window,
    samples: pa.Array,
    class_ids: npt.NDArray[np.int32],
    repeated: set[int],
    seen: Counter[int],
    label_set: str,
) -> row_ids.Pairs:
    """Ids told by what a row is: its sample and the file's id, or its sample and content where the file gives no id."""
    of_sample = row_ids.from_text(samples) ^ row_ids.salt("annotation", label_set)
    numbered = window.source_id.fill_null(0).to_numpy().view(np.uint64)
    pairs = row_ids.mixed(of_sample, numbered)
    bare = window.source_id.is_null().to_numpy(zero_copy_only=False)
    if not bare.any():
        return pairs
    content = row_ids.mixed(of_sample ^ row_ids.salt("content"), *_content(window, class_ids))
    again = np.zeros(len(content), np.uint64)
    if repeated:
        for at in np.flatnonzero(np.isin(content[:, 0], np.array(sorted(repeated), np.uint64))).tolist():
            value = int(content[at, 0])
            again[at] = seen[value]
            seen[value] += 1
    pairs[bare] = np.where(again[:, None] > 0, row_ids.mixed(content, again), content)[bare]
    return pairs


def _content(window: Window, class_ids: npt.NDArray[np.int32]) -> list[npt.NDArray[np.uint64]]:
    columns = window.columns
    numbers = [
        columns[name].cast(pa.float64()).fill_null(-1.0).to_numpy() for name in ("x", "y", "w", "h", "score")
    ]
    found = [
        class_ids.astype(np.uint64),
        *(np.ascontiguousarray(column).view(np.uint64) for column in numbers),
    ]
    shapes = pa.table({name: columns[name] for name in ("rings", "mask_rle", "keypoints")})
    if any(
        column.null_count < len(shapes) and name != "mask_rle"
        for name, column in zip(shapes.column_names, shapes.columns, strict=True)
    ) or any(shapes["mask_rle"].to_pylist()):
        texts = (msgspec.json.encode(row).decode() for row in shapes.to_pylist())
        found.append(np.array([row_ids.salt(text)[0, 0] for text in texts], np.uint64))
    return found


def _repeated(told: list[npt.NDArray[np.uint64]]) -> set[int]:
    """Contents without an id that stand more than once."""
    if not told:
        return set()
    values, counts = np.unique(np.concatenate(told), return_counts=True)
    return set(values[counts > 1].tolist())
