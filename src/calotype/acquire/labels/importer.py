"""The one import flow of all label formats: samples and annotations as one edit.

An import of many images writes the first ones in resumable chunks; the last ones come with the annotations.

Annotations are streamed window by window, so that the size of a file costs no memory. Items that cannot be imported are
quarantined with a code, their place and a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.job import ImportJob
from calotype.acquire.labels.held_images import MAX_HELD, HeldImages
from calotype.acquire.labels.label_images import LabelImages
from calotype.acquire.labels.label_rows import PassResult, ResolvedSource, RowContext, annotation_batches
from calotype.acquire.labels.model import (
    Imported,
    ImportOptions,
    ItemsInvalid,
    NothingToImport,
    UnknownClasses,
    quarantined_problem,
)
from calotype.acquire.labels.replacing import Replaced, replaced, sample_names
from calotype.acquire.labels.sample_names import SampleNames, completed_samples
from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets import rows
from calotype.datasets.change import Change, RowStream
from calotype.datasets.edit import apply
from calotype.datasets.snapshot import Snapshot
from calotype.exchange.classes import with_declared_classes
from calotype.exchange.registry import Detected
from calotype.formats.base import LabelSource
from calotype.formats.notices import MAX_EXAMPLES, NOTICES, Notice
from calotype.formats.windows import LabelIndex, ListedImage, Problem
from calotype.foundation.ids import canonical_json
from calotype.store.tables.memory import in_large_batches
from calotype.store.tables.tables import RestageNeeded
from calotype.vision.ontology import Ontology

Batches = Callable[[], Iterator[pa.RecordBatch]]


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
        self._held = HeldImages(job, max_held=None if options.dry_run else MAX_HELD)
        self._opened: list[_Opened] = []
        self._by_name: list[tuple[ListedImage, str]] = []
        self._image_items: list[QuarantinedItem] = []
        self._unmatched: list[QuarantinedItem] = []
        self._items: list[QuarantinedItem] = []
        self._kept: list[QuarantinedItem] = []
        self._replaced: Replaced | None = None
        self._n_rows = 0
        self._kept_names: list[str] = []
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
        """Find classes that a closed ontology lacks, or that are retired. Raises: UnknownClasses, before it writes."""
        counts: Counter[str] = Counter()
        n_all, first = 0, ""
        for source in self._sources:
            classes = {} if source.index is None else source.index.classes
            unknown = [number for number, name in classes.items() if not ontology.takes(name)]
            if source.index is None or not unknown:
                continue
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
        """Store the listed images; the samples of the last ones come with the annotations.

        Raises: FileUnreadable (with `on_invalid="error"`).
        """
        for source in self._sources:
            if source.index is None:
                self._resolved.append(_resolved_by_number(source, self._job.working_state()))
                continue
            images = LabelImages(self._job, source, self._options)
            images.run(self._held)
            self._image_items += images.quarantined
            position = np.full(len(source.index.image_ids), -1)
            position[source.index.positions(source.images.ids)] = np.arange(len(source.images))
            missing = source.images.values(images.missing.tolist())
            source.release_images()
            resolved = ResolvedSource(source, source.index, pa.array([], pa.string()))
            self._resolved.append(resolved)
            self._opened.append(_Opened(resolved, images, position, missing))

    def import_annotations(self, file: str) -> None:
        """Write the samples held and all annotations that have a sample and a class, as one edit.

        Raises: NothingToImport, ItemsInvalid (with `on_invalid="error"`), LabelFileUnreadable.
        """
        while True:
            try:
                return self._write(file)
            except RestageNeeded:  # ids occur twice, which is known only at the end of a pass
                continue

    def rehearse(self, file: str) -> None:
        """Do everything but write: what `import_annotations` would do. Raises the same errors."""
        snapshot = self._job.working_state()
        while True:
            try:
                change = self._plan(snapshot, file, {})
                for put in change.put_annotations.values():
                    if isinstance(put, RowStream):
                        for _ in put.batches():
                            pass
            except RestageNeeded:
                continue
            return

    def report(self) -> Imported:
        """The counts, and what was quarantined."""
        done = self._replaced
        sample_ids = pa.chunked_array([resolved.sample_ids for resolved in self._resolved], pa.string())
        added = self._n_rows if done is None else done.added
        changed, unchanged = (0, 0) if done is None else (done.changed, done.unchanged)
        notices = [notice for source in self._sources for notice in source.warnings]
        if done is not None and done.kept:
            what, examples = NOTICES["changed-here"], tuple(self._kept_names)
            notices.append(Notice("changed-here", what, done.kept, examples))
        return Imported(
            format=self._format,
            layout=self._detected.sighting.layout,
            evidence=self._detected.evidence,
            label_set=self._options.label_set,
            samples=pc.count_distinct(sample_ids).as_py(),
            annotations=added + changed + unchanged,
            added=added,
            changed=changed,
            unchanged=unchanged,
            removed=0 if done is None else done.removed,
            kept=0 if done is None else done.kept,
            skipped=len(self._items),
            new_classes=self._new_classes,
            losses=tuple(loss for source in self._sources for loss in source.losses),
            warnings=tuple(notices),
            set_aside=tuple(self._items),
            reasons=dict(Counter(item.code for item in self._items)),
        )

    def _resolve(self, snapshot: Snapshot) -> None:
        """Find the sample of each listed image: those held, those of the dataset with the name of a missing file."""
        self._by_name, self._unmatched = [], []
        names: SampleNames | None = None
        for opened in self._opened:
            sample_ids = opened.images.sample_ids()
            if opened.missing:
                names = names or SampleNames(snapshot)
                sample_ids = self._match_by_name(opened, sample_ids.to_pylist(), names)
            opened.resolved.sample_ids = sample_ids.take(pa.array(opened.position, mask=opened.position < 0))

    def _match_by_name(self, opened: _Opened, sample_ids: list[str | None], names: SampleNames) -> pa.Array:
        found = names.find_all([image.name for image in opened.missing])
        for at, image, (sample_id, reason) in zip(opened.images.missing, opened.missing, found, strict=True):
            if sample_id is not None:
                sample_ids[at] = sample_id
                self._by_name.append((image, sample_id))
                continue
            problem = Problem("missing-file", "image", image.place, reason)
            if self._options.on_invalid == "error":
                raise ItemsInvalid(where=problem.where, count=1, reason=problem.reason)
            self._unmatched.append(quarantined_problem(problem))
        return pa.array(sample_ids, pa.string())

    def _write(self, file: str) -> None:
        details: dict[str, Any] = {"import": self._job.import_id, "run": self._job.run_id, "file": file}
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
        images = self._held.change(snapshot)
        self._resolve(snapshot)
        declared = [declared for source in self._sources for declared in source.classes]
        ontology = with_declared_classes(snapshot.ontology, declared)
        self._new_classes = tuple(name for name in ontology.names if snapshot.ontology.by_name(name) is None)
        label_set, author = self._options.label_set, self._job.actor.name
        context = RowContext(ontology, self._refused, label_set, self._job.import_id, author)

        def batches() -> Iterator[pa.RecordBatch]:
            result = PassResult()
            for resolved in self._resolved:
                yield from in_large_batches(annotation_batches(resolved, context, result))
                self._job.progress("importing annotations", result.n_rows, result.n_rows)
            self._finish_pass(result, file)
            details.update(annotations=result.n_rows, set_aside=len(self._items))

        put, removed = self._rows_to_put(snapshot, batches)
        return Change(
            put_samples=[*images.put_samples, *completed_samples(snapshot, self._by_name)],
            new_samples=images.new_samples,
            put_annotations=put,
            remove_annotations=removed,
            ontology=ontology,
            info=self._info(snapshot),
        )

    def _rows_to_put(
        self, snapshot: Snapshot, batches: Batches
    ) -> tuple[dict[str, pa.Table | RowStream], dict[str, list[str]]]:
        """The rows to write and the ids to remove, by label set: streamed where it has no annotations at all."""
        label_set = self._options.label_set
        if not snapshot.count(label_set=label_set)["annotations"]:
            rows_once = batches()
            first = next(rows_once, None)
            begun = [] if first is None else [chain([first], rows_once)]

            def stream() -> Iterator[pa.RecordBatch]:
                return begun.pop() if begun else batches()

            return ({} if first is None else {label_set: RowStream(stream, 1)}), {}
        new = pa.Table.from_batches(list(batches()), rows.ANNOTATION_SCHEMA)
        done = self._replaced = replaced(self._job, snapshot, label_set, new)
        self._kept_names = sample_names(snapshot, done.kept_samples, MAX_EXAMPLES)
        return {label_set: done.put}, {label_set: done.remove}

    def _finish_pass(self, result: PassResult, file: str) -> None:
        """Collect what was quarantined, and stop where the options say so. Raises: NothingToImport, ItemsInvalid."""
        self._items = [*self._image_items, *self._unmatched, *result.quarantined]
        self._n_rows = result.n_rows
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


@dataclass(slots=True)
class _Opened:
    """A source whose images are stored: where each image of its index is in the list, and those without a file."""

    resolved: ResolvedSource
    images: LabelImages
    position: npt.NDArray[np.int64]
    missing: list[ListedImage]


class _SourceId(msgspec.Struct):
    id: Any = None


def _resolved_by_number(source: LabelSource, snapshot: Snapshot) -> ResolvedSource:
    """A source that lists no images: its numbers are those that an earlier file gave to samples and classes."""
    columns = ["sample_id", "extra", "parent_id", "width_px", "height_px"]
    table = snapshot.rows_of(rows.SAMPLES, columns=columns)
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
