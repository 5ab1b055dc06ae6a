"""Windows of a label source as rows of a label set, with ids, classes and samples filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.acquire.labels.annotation_ids import AnnotationIds
from calotype.acquire.labels.model import quarantined_annotation, quarantined_class, quarantined_problem
from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets import rows
from calotype.formats.base import LabelSource
from calotype.formats.windows import LabelIndex, Window, duplicate_ids, without_ids
from calotype.foundation.clock import now_us
from calotype.store.tables.tables import RestageNeeded
from calotype.vision.ontology import Ontology


@dataclass
class ResolvedSource:
    """A source with the sample of each image of its index (null: none), and what earlier passes found in its rows.

    `duplicates` are source ids that occur twice, `repeated` contents without an id that do.
    """

    source: LabelSource
    index: LabelIndex
    sample_ids: pa.Array
    duplicates: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class RowContext:
    """What is the same for all rows of an import. Annotations of `refused` classes are quarantined."""

    ontology: Ontology
    refused: frozenset[str]
    label_set: str
    import_id: str
    author: str


@dataclass
class PassResult:
    """The result of one pass over all sources."""

    n_rows: int = 0
    quarantined: list[QuarantinedItem] = field(default_factory=list)


def annotation_batches(
    resolved: ResolvedSource, context: RowContext, result: PassResult
) -> Iterator[pa.RecordBatch]:
    """Rows of `rows.ANNOTATION_SCHEMA` for all annotations with a sample and a class; others go to `result`.

    Raises: RestageNeeded when ids turn out to occur twice (call again), LabelFileUnreadable.
    """
    classes = _ClassMap(resolved.index, context)
    ids = AnnotationIds(context.label_set, resolved.repeated)
    source_ids: list[pa.Array] = []
    for window in resolved.source.windows(resolved.index):
        if window.identities is None:
            source_ids.append(window.source_id)
        window = without_ids(window, resolved.duplicates)
        result.quarantined += [quarantined_problem(problem) for problem in window.problems]
        window = _importable(window, classes, resolved, result)
        if len(window):
            result.n_rows += len(window)
            yield _batch(window, classes, ids, resolved, context)
    duplicates, repeated = duplicate_ids(source_ids), ids.repeated
    if duplicates - resolved.duplicates or repeated - resolved.repeated:
        resolved.duplicates |= duplicates
        resolved.repeated |= repeated
        raise RestageNeeded


class _ClassMap:
    """Class numbers of a source -> class ids of the ontology."""

    def __init__(self, index: LabelIndex, context: RowContext) -> None:
        known = {c.name: c.id for c in context.ontology.classes if c.name not in context.refused}
        self.names = index.classes
        self._numbers = np.array(sorted(index.classes), np.int64)
        ids = [known.get(index.classes[number]) for number in self._numbers.tolist()]
        self._is_known = np.array([class_id is not None for class_id in ids], bool)
        self._ids = np.array([class_id if class_id is not None else 0 for class_id in ids], np.int32)

    def known(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each number has a class in the ontology."""
        known: npt.NDArray[np.bool_] = self._is_known[np.searchsorted(self._numbers, numbers)]
        return known

    def ids(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """The class id of each number."""
        ids: npt.NDArray[np.int32] = self._ids[np.searchsorted(self._numbers, numbers)]
        return ids


def _importable(window: Window, classes: _ClassMap, resolved: ResolvedSource, result: PassResult) -> Window:
    """The rows that have a sample and a class; the others are quarantined."""
    has_sample = resolved.sample_ids.is_valid().to_numpy(zero_copy_only=False)[window.image]
    has_class = classes.known(window.category)
    keep = has_sample & has_class
    if keep.all():
        return window
    for at in np.flatnonzero(~keep).tolist():
        where = window.place(at)
        name = classes.names[int(window.category[at])]
        item = quarantined_annotation(where) if has_class[at] else quarantined_class(name, where)
        result.quarantined.append(item)
    return window.filter(keep)


def _batch(
    window: Window, classes: _ClassMap, ids: AnnotationIds, resolved: ResolvedSource, context: RowContext
) -> pa.RecordBatch:
    n = len(window)
    sample_ids = resolved.sample_ids.take(pa.array(window.image))
    class_ids = classes.ids(window.category)
    columns = dict(window.columns)
    columns |= {"sample_id": sample_ids, "class_id": pa.array(class_ids)}
    columns["ann_id"] = ids.derive(window, sample_ids, class_ids)
    columns["source_id"] = window.source_id.cast(pa.string()).fill_null("")
    columns |= {"author": pa.repeat(context.author, n), "import_id": pa.repeat(context.import_id, n)}
    columns["created_at_us"] = pa.repeat(now_us(), n)
    arrays = [columns[column.name].cast(column.type) for column in rows.ANNOTATION_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=rows.ANNOTATION_SCHEMA)
