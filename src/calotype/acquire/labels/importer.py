"""The one import flow of all label formats: images first in resumable chunks, then all annotations as one edit.

Annotations are streamed window by window, so that the size of a file costs no memory. Items that cannot be imported are
quarantined with a code, their place and a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.job import ImportJob
from calotype.acquire.labels.label_images import LabelImages
from calotype.acquire.labels.label_rows import PassResult, ResolvedSource, RowContext, annotation_batches
from calotype.acquire.labels.model import (
    Imported,
    ImportOptions,
    ItemsInvalid,
    NothingToImport,
    UnknownClasses,
    quarantined_problem,
    with_declared_classes,
)
from calotype.acquire.labels.sample_names import SampleNames, completed_samples
from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets import rows
from calotype.datasets.change import Change, RowStream
from calotype.datasets.differences import equal_ids
from calotype.datasets.edit import apply
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import rows_with
from calotype.exchange.registry import Detected
from calotype.formats.base import LabelSource
from calotype.formats.windows import LabelIndex, ListedImage, Problem
from calotype.foundation.ids import canonical_json
from calotype.store.tables.row_lookup import ColumnValues
from calotype.store.tables.tables import RestageNeeded
from calotype.vision.ontology import Ontology

_FEW_ROWS = 1_000
_COMPARED = ["class_id", *(column.name for column in rows.DRAWN_FIELDS)]


class LabelImport:
    """One import under way; the verb in `service` calls its steps in order."""

    def __init__(
        self, job: ImportJob, sources: Sequence[LabelSource], options: ImportOptions, detected: Detected
    ) -> None:
        self._job = job
        self._sources = sources
        self._options = options
        self._detected = detected
        self._format = detected.format.name
        self._resolved: list[ResolvedSource] = []
        self._by_name: list[tuple[ListedImage, str]] = []
        self._image_items: list[QuarantinedItem] = []
        self._items: list[QuarantinedItem] = []
        self._kept: list[QuarantinedItem] = []
        self._counts: Counter[str] = Counter()
        self._new_classes: tuple[str, ...] = ()
        self._refused: frozenset[str] = frozenset()

    def check_items(self) -> None:
        """With "error", check every row before anything is written. Raises: ItemsInvalid."""
        problems = [problem for source in self._sources for problem in source.problems]
        if self._options.on_invalid == "error":
            for source in self._sources:
                if source.index is not None:
                    windows = source.windows(source.index)
                    problems += chain.from_iterable(window.problems for window in windows)
            if problems:
                raise ItemsInvalid(where=problems[0].where, count=len(problems), reason=problems[0].reason)
        self._image_items += map(quarantined_problem, problems)

    def check_classes(self, ontology: Ontology) -> None:
        """Find the classes that a closed ontology lacks. Raises: UnknownClasses, before anything is written."""
        if not ontology.closed:
            return
        counts: Counter[str] = Counter()
        n_all, first = 0, ""
        known = set(ontology.names)
        for source in self._sources:
            if source.index is None or known.issuperset(source.index.classes.values()):
                continue
            unknown = [n for n, name in source.index.classes.items() if name not in known]
            for window in source.windows(source.index):
                n_all += len(window)
                at = np.flatnonzero(np.isin(window.category, unknown))
                first = first or (window.place(int(at[0])) if len(at) else "")
                numbers, n_rows = np.unique(window.category[at], return_counts=True)
                for number, n in zip(numbers.tolist(), n_rows.tolist(), strict=True):
                    counts[source.index.classes[number]] += n
        if counts and self._options.on_unknown == "error":
            names = ", ".join(repr(name) for name in sorted(counts)[:10])
            raise UnknownClasses(where=first, count=counts.total(), total=n_all, names=names)
        self._refused = frozenset(counts)

    def import_images(self) -> None:
        """Make the listed images samples. Raises: FileUnreadable, ItemsInvalid (with `on_invalid="error"`)."""
        for source in self._sources:
            if source.index is None:
                self._resolved.append(_resolved_by_number(source, self._job.working_state()))
                continue
            images = LabelImages(self._job, source, self._options)
            images.run()
            self._image_items += images.quarantined
            sample_ids = self._match_by_name(source, images)
            position = np.full(len(source.index.image_ids), -1)
            position[source.index.positions(source.images.ids)] = np.arange(len(source.images))
            resolved = sample_ids.take(pa.array(position, mask=position < 0))
            source.release_images()
            self._resolved.append(ResolvedSource(source, source.index, resolved))

    def import_annotations(self, file: str) -> None:
        """Write all annotations that have a sample and a class, as one edit.

        Raises: NothingToImport, ItemsInvalid (with `on_invalid="error"`), LabelFileUnreadable.
        """
        while True:
            try:
                return self._write(file)
            except RestageNeeded:  # ids occur twice, which is known only at the end of a pass
                continue

    def report(self) -> Imported:
        """The counts, and what was quarantined."""
        sample_ids = pa.chunked_array([resolved.sample_ids for resolved in self._resolved], pa.string())
        added, updated, unchanged = (self._counts[name] for name in ("added", "updated", "unchanged"))
        return Imported(
            format=self._format,
            layout=self._detected.sighting.layout,
            evidence=self._detected.evidence,
            label_set=self._options.label_set,
            samples=pc.count_distinct(sample_ids).as_py(),
            annotations=added + updated + unchanged,
            added=added,
            updated=updated,
            unchanged=unchanged,
            skipped=len(self._items),
            new_classes=self._new_classes,
            losses=tuple(loss for source in self._sources for loss in source.losses),
            warnings=tuple(warning for source in self._sources for warning in source.warnings),
            set_aside=tuple(self._items),
            reasons=dict(Counter(item.code for item in self._items)),
        )

    def _match_by_name(self, source: LabelSource, images: LabelImages) -> pa.Array:
        """The samples, with those that the dataset has under the names of images without a file."""
        if not images.missing:
            return images.sample_ids
        sample_ids = images.sample_ids.to_pylist()
        names = SampleNames(self._job.working_state())
        for at, image in zip(images.missing, source.images.values(images.missing.tolist()), strict=True):
            sample_id = names.find(image.name)
            if sample_id is not None:
                sample_ids[at] = sample_id
                self._by_name.append((image, sample_id))
                continue
            problem = Problem("missing-file", "image", image.place, f"image file {image.name!r} is missing")
            if self._options.on_invalid == "error":
                raise ItemsInvalid(where=problem.where, count=1, reason=problem.reason)
            self._image_items.append(quarantined_problem(problem))
        return pa.array(sample_ids, pa.string())

    def _write(self, file: str) -> None:
        details: dict[str, Any] = {"import": self._job.import_id, "file": file}
        details |= {"format": self._format, "label_set": self._options.label_set}

        def plan(snapshot: Snapshot) -> Change:
            return self._plan(snapshot, file, details)

        apply(
            self._job.actor,
            self._job.name,
            plan,
            store=self._job.store,
            verb="annotations.import",
            record=self._job.recorder(self._kept),
            details=details,
        )

    def _plan(self, snapshot: Snapshot, file: str, details: dict[str, Any]) -> Change:
        declared = [declared for source in self._sources for declared in source.classes]
        ontology = with_declared_classes(snapshot.ontology, declared)
        self._new_classes = tuple(name for name in ontology.names if snapshot.ontology.by_name(name) is None)
        label_set, author = self._options.label_set, self._job.actor.name
        context = RowContext(ontology, self._refused, label_set, self._job.import_id, author)

        def batches() -> Iterator[pa.RecordBatch]:
            result = PassResult()
            for resolved in self._resolved:
                yield from annotation_batches(resolved, context, result)
                self._job.progress("importing annotations", result.n_rows, result.n_rows)
            self._finish_pass(result, file)
            details.update(annotations=result.n_rows, set_aside=len(self._items))

        return Change(
            put_samples=completed_samples(snapshot, self._by_name),
            put_annotations=self._rows_to_put(snapshot, batches),
            ontology=ontology,
            info=self._info(snapshot),
        )

    def _rows_to_put(self, snapshot: Snapshot, batches: Any) -> dict[str, Any]:
        """The rows that the label set does not have as they are: streamed where it has none at all."""
        label_set = self._options.label_set
        if not snapshot.count(label_set=label_set)["annotations"]:
            is_empty = next(batches(), None) is None
            return {} if is_empty else {label_set: RowStream(batches, 1)}
        new = pa.Table.from_batches(list(batches()), rows.ANNOTATION_SCHEMA)
        table, new_ids = rows.annotation_table(label_set), new["ann_id"].combine_chunks()
        if new.num_rows <= _FEW_ROWS:
            selection = ColumnValues("ann_id", new_ids.to_pylist())
            old = rows_with(self._job.store, snapshot, table, selection, rows.ANNOTATION_SCHEMA.names)
        else:
            old = snapshot.rows_of(table)
            old = old.filter(pc.is_in(old["ann_id"], new_ids))
        same = equal_ids(old, new, "ann_id", _COMPARED)
        n_known, n_same = old.num_rows, len(same)
        self._counts = Counter(added=new.num_rows - n_known, updated=n_known - n_same, unchanged=n_same)
        put = new.filter(pc.invert(pc.is_in(new["ann_id"], same)))
        return {label_set: put}

    def _finish_pass(self, result: PassResult, file: str) -> None:
        """Collect what was quarantined, and stop where the options say so. Raises: NothingToImport, ItemsInvalid."""
        self._items = [*self._image_items, *result.quarantined]
        self._counts = Counter(added=result.n_rows)
        has_samples = any(r.sample_ids.null_count < len(r.sample_ids) for r in self._resolved)
        if self._items and not result.n_rows and not has_samples:
            first = self._items[0]
            raise NothingToImport(where=first.place, file=file, count=len(self._items), reason=first.reason)
        if self._options.on_invalid == "error":
            invalid = [item for item in result.quarantined if item.code == "annotation-invalid"]
            if invalid:
                raise ItemsInvalid(where=invalid[0].place, count=len(invalid), reason=invalid[0].reason)
        self._kept[:] = [item for item in self._items if self._options.keeps(item)]

    def _info(self, snapshot: Snapshot) -> str | None:
        """The file-level keys of the dataset with those of this import, where one file alone describes it."""
        described = [source for source in self._sources if source.index is not None]
        if len(described) != 1 or not described[0].info:
            return None
        info = {**snapshot.info, self._options.label_set: dict(described[0].info)}
        return canonical_json(info) if info != snapshot.info else None


class _SourceId(msgspec.Struct):
    id: Any = None


def _resolved_by_number(source: LabelSource, snapshot: Snapshot) -> ResolvedSource:
    """A source that lists no images: its numbers are those that an earlier file gave to samples and classes."""
    table = snapshot.samples(columns=["sample_id", "extra", "parent_id", "width_px", "height_px"])
    decode = msgspec.json.Decoder(_SourceId).decode
    numbers = [decode(text).id if text else None for text in table["extra"].to_pylist()]
    is_original = pc.equal(table["parent_id"], "").to_pylist()
    usable = [type(number) is int and original for number, original in zip(numbers, is_original, strict=True)]
    at = np.flatnonzero(np.array(usable, bool))
    ids = np.array([numbers[i] for i in at.tolist()], np.int64)
    values, first, counts = np.unique(ids, return_index=True, return_counts=True)
    unique = counts == 1  # a number that two samples have identifies neither
    chosen = at[first[unique]]
    widths, heights = (table[side].to_numpy().astype(np.int64)[chosen] for side in ("width_px", "height_px"))
    classes = {c.id: c.name for c in snapshot.ontology.classes}
    index = LabelIndex(source.file, values[unique], widths, heights, classes)
    sample_ids = table["sample_id"].combine_chunks().take(pa.array(chosen)).cast(pa.string())
    return ResolvedSource(source, index, sample_ids)
