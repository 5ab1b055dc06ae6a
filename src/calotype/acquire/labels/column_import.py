"""Importing COCO files: images first, then all annotations as one edit, streamed, so that size costs no memory.

The outcome is that of `service`, which imports the other formats value by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire import quarantine as setting_aside
from calotype.acquire.intake import MediaMode, take_in
from calotype.acquire.intake_reference import refer_to
from calotype.acquire.labels.label_rows import Placed, Placing, batches
from calotype.acquire.labels.model import (
    Imported,
    ItemsInvalid,
    NothingToImport,
    UnknownClasses,
    aside_problem,
    grown,
)
from calotype.acquire.labels.name_matching import SampleNames, learned
from calotype.acquire.labels.referenced_images import PicturesInPlace
from calotype.acquire.quarantine import SetAside
from calotype.acquire.sample_matcher import IncomingImage, Intake
from calotype.datasets import rows
from calotype.datasets.change import Change, RowStream
from calotype.datasets.differences import equal_ids
from calotype.datasets.edit import apply
from calotype.datasets.reading import read
from calotype.datasets.snapshot import Snapshot
from calotype.formats.base import ParsedImage, Problem
from calotype.formats.coco_files import picture_folder
from calotype.formats.coco_reading import CocoFile, CocoResults
from calotype.formats.coco_rows import Listed
from calotype.formats.coco_values import image_values
from calotype.foundation.actor import Actor
from calotype.foundation.ids import canonical_json
from calotype.foundation.progress import Progress
from calotype.store import Store
from calotype.store.tables.tables import RestageNeeded
from calotype.vision.ontology import Ontology

_DRAWN = [one.name for one in rows.DRAWN_FIELDS]


@dataclass
class ColumnImport:
    """One import under way; the verb in `service` calls its steps in order."""

    store: Store
    actor: Actor
    name: str
    working: str
    files: list[CocoFile | CocoResults]
    label_set: str
    on_unknown: str
    on_invalid: str
    import_id: str
    progress: Progress
    aside: list[SetAside] = field(default_factory=list)
    placings: list[Placing] = field(default_factory=list)
    images_by_name: list[tuple[ParsedImage, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    new_classes: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()

    def refuse_problems(self) -> None:
        """With "error" nothing is written before every row was seen to be good."""
        problems = [problem for file in self._coco() for problem in file.problems]
        if self.on_invalid == "error":
            for file in self._coco():
                problems += [problem for window in file.windows() for problem in window.problems]
            if problems:
                raise ItemsInvalid(where=problems[0].where, count=len(problems), reason=problems[0].reason)
        self.aside.extend(aside_problem(problem) for problem in problems)

    def check_classes(self, ontology: Ontology) -> None:
        """Annotations whose class a closed ontology lacks: stop before anything is written, or refuse just them."""
        if not ontology.closed:
            return
        counted: Counter[str] = Counter()
        total, first = 0, ""
        for file in self._coco():
            unknown = {number for number, name in file.names.items() if ontology.by_name(name) is None}
            if not unknown:
                continue
            for window in file.windows():
                total += len(window)
                numbers, counts = np.unique(window.category, return_counts=True)
                for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                    if number in unknown:
                        counted[file.names[number]] += count
                        first = first or f"{file.file.name} annotations"
        if counted and self.on_unknown == "error":
            names = ", ".join(repr(name) for name in sorted(counted)[:10])
            raise UnknownClasses(where=first, count=sum(counted.values()), total=total, names=names)
        self.refused = frozenset(counted)

    def bring_images(self, folder: Path | None, *, media: MediaMode, source: str, licence: str) -> None:
        """Make the listed images samples, and learn which sample each is."""
        for file in self.files:
            if isinstance(file, CocoResults):
                self.placings.append(_of_results(file, read(self.actor, self.working, store=self.store)))
                continue
            pictures = folder or picture_folder(file.file)
            samples, unfound = self._bring(file, pictures, media=media, source=source, licence=licence)
            samples = self._find_by_name(file, pictures, unfound, samples)
            at = file.position_of_taken()
            placed = samples.take(pa.array(at, mask=at < 0))
            file.forget_images()
            self.placings.append(Placing(_Annotations(file), file.listed, placed))

    def place_annotations(self, title: str) -> None:
        """Write all annotations that can be placed, as one edit."""
        while True:
            try:
                return self._place(title)
            except RestageNeeded:
                continue

    def answer(self, format: str) -> Imported:
        """The figures."""
        samples = pa.chunked_array([placing.samples for placing in self.placings], pa.string())
        return Imported(
            format=format,
            label_set=self.label_set,
            samples=pc.count_distinct(samples).as_py(),
            annotations=self.counts["added"] + self.counts["updated"] + self.counts["unchanged"],
            added=self.counts["added"],
            updated=self.counts["updated"],
            unchanged=self.counts["unchanged"],
            skipped=len(self.aside),
            new_classes=self.new_classes,
            set_aside=tuple(self.aside),
            reasons=dict(Counter(item.code for item in self.aside)),
        )

    def _coco(self) -> list[CocoFile]:
        return [file for file in self.files if isinstance(file, CocoFile)]

    def _bring(
        self, file: CocoFile, pictures: Path, *, media: MediaMode, source: str, licence: str
    ) -> tuple[pa.Array, list[int]]:
        """The sample of each image of the file, and the positions of those for which no picture is there."""
        if media == "reference":
            found = PicturesInPlace(file, pictures, licence=licence, source=source)
            took = refer_to(
                self.actor,
                self.name,
                found.parts(),
                len(found),
                import_id=self.import_id,
                store=self.store,
                verb="images.import",
                on_invalid=self.on_invalid,
                progress=self.progress,
            )
            self.aside.extend(took.intake.quarantined)
            ids = pa.concat_arrays([pa.array([], pa.string()), *took.samples])
            place = np.full(len(file.images), -1)
            place[np.array(found.taken, np.int64)] = np.arange(len(ids))
            return ids.take(pa.array(place, mask=place < 0)), found.missing.tolist()
        values = image_values(file, pictures)
        taken = self._take_in(values, source=source, licence=licence, link=media == "link")
        self.aside.extend(taken.quarantined)
        samples = pa.array([taken.sample_ids.get(image.name) for image in values], pa.string())
        return samples, [at for at, image in enumerate(values) if image.path is None]

    def _take_in(self, values: list[ParsedImage], *, source: str, licence: str, link: bool) -> Intake:
        incoming = [
            IncomingImage(
                path=image.path,
                name=image.name,
                split=image.split,
                licence=image.licence or licence,
                source=source,
                metadata=image.metadata,
                extra=image.extra,
            )
            for image in values
            if image.path is not None
        ]
        return take_in(
            self.actor,
            self.name,
            incoming,
            import_id=self.import_id,
            store=self.store,
            verb="images.import",
            duplicates="keep",
            on_invalid=self.on_invalid,
            link=link,
            progress=self.progress,
        )

    def _find_by_name(
        self, file: CocoFile, pictures: Path, unfound: list[int], samples: pa.Array
    ) -> pa.Array:
        """The samples, with those that the dataset has under the names of images without a picture."""
        if not unfound:
            return samples
        filled = samples.to_pylist()
        known = SampleNames(read(self.actor, self.working, store=self.store))
        values = image_values(file, pictures, only=unfound)
        for at, image in zip(unfound, values, strict=True):
            sample = known.find(image.name)
            if sample is not None:
                filled[at] = sample
                self.images_by_name.append((image, sample))
                continue
            problem = Problem("missing-file", "image", image.where, f"no picture {image.name!r} is there")
            if self.on_invalid == "error":
                raise ItemsInvalid(where=problem.where, count=1, reason=problem.reason)
            self.aside.append(aside_problem(problem))
        return pa.array(filled, pa.string())

    def _place(self, title: str) -> None:
        placed = Placed()
        before = len(self.aside)
        kept: list[SetAside] = []

        def plan(snapshot: Snapshot) -> Change:
            return self._plan(snapshot, placed, title, before, kept)

        apply(
            self.actor,
            self.name,
            plan,
            store=self.store,
            verb="annotations.import",
            record=setting_aside.recorder(self.store, self.name, self.import_id, kept),
            details={"import": self.import_id, "file": title, "format": "coco", "label_set": self.label_set},
        )

    def _plan(
        self, snapshot: Snapshot, placed: Placed, title: str, before: int, kept: list[SetAside]
    ) -> Change:
        declared = [made for file in self._coco() for made in file.classes]
        ontology = grown(snapshot.ontology, declared, ())
        self.new_classes = tuple(name for name in ontology.names if snapshot.ontology.by_name(name) is None)

        def stream() -> Iterator[pa.RecordBatch]:
            placed.n_rows, placed.aside = 0, []
            for placing in self.placings:
                yield from batches(
                    placing,
                    ontology,
                    placed,
                    refused=self.refused,
                    label_set=self.label_set,
                    import_id=self.import_id,
                    author=self.actor.name,
                )
                self.progress("importing annotations", placed.n_rows, placed.n_rows)
            self._settle_aside(placed, title, before, kept)
            self.counts = Counter(added=placed.n_rows)

        put: Any = RowStream(stream, 1)
        if snapshot.count(label_set=self.label_set)["annotations"]:
            put = self._compared(snapshot, pa.Table.from_batches(list(stream()), rows.ANNOTATION_SCHEMA))
        return Change(
            put_samples=learned(
                snapshot,
                [image for image, _ in self.images_by_name],
                {image.key: sample for image, sample in self.images_by_name},
            ),
            put_annotations={self.label_set: put},
            ontology=ontology,
            info=self._info(snapshot),
        )

    def _compared(self, snapshot: Snapshot, new: pa.Table) -> pa.Table:
        """The rows that the label set does not have as they are."""
        old = snapshot.rows_of(rows.annotation_table(self.label_set))
        old = old.filter(pc.is_in(old["ann_id"], new["ann_id"].combine_chunks()))
        same = equal_ids(old, new, "ann_id", ["class_id", *_DRAWN])
        put = new.filter(pc.invert(pc.is_in(new["ann_id"], same)))
        n_known, n_same = old.num_rows, len(same)
        self.counts = Counter(added=new.num_rows - n_known, updated=n_known - n_same, unchanged=n_same)
        return put

    def _settle_aside(self, placed: Placed, title: str, before: int, kept: list[SetAside]) -> None:
        self.aside[before:] = placed.aside
        has_samples = any(placing.samples.null_count < len(placing.samples) for placing in self.placings)
        if self.aside and not placed.n_rows and not has_samples:
            first = self.aside[0]
            raise NothingToImport(where=first.place, file=title, count=len(self.aside), reason=first.reason)
        if self.on_invalid == "error":
            broken = [item for item in placed.aside if item.code == "annotation-invalid"]
            if broken:
                raise ItemsInvalid(where=broken[0].place, count=len(broken), reason=broken[0].reason)
        kept[:] = [item for item in self.aside if self._is_kept(item)]

    def _is_kept(self, item: SetAside) -> bool:
        policy = self.on_unknown if item.code == "ontology-class-unknown" else self.on_invalid
        return policy == "quarantine"

    def _info(self, snapshot: Snapshot) -> str | None:
        told = self._coco()
        if len(told) != 1 or not told[0].info:
            return None
        info = {**snapshot.info, self.label_set: told[0].info}
        return canonical_json(info) if info != snapshot.info else None


class _Annotations:
    """A COCO file as a source of annotations."""

    def __init__(self, file: CocoFile) -> None:
        self.file = file.file
        self._coco = file

    def windows(self, listed: Listed) -> Iterator[Any]:
        return self._coco.windows()


class _SourceId(msgspec.Struct):
    id: Any = None


def _of_results(file: CocoResults, snapshot: Snapshot) -> Placing:
    """Where the rows of a results file belong: samples by the image number that their COCO file gave them."""
    index = snapshot.samples(columns=["sample_id", "extra", "parent_id", "width_px", "height_px"])
    decode = msgspec.json.Decoder(_SourceId).decode
    numbers = [decode(text).id if text else None for text in index["extra"].to_pylist()]
    original = pc.equal(index["parent_id"], "").to_pylist()
    usable = [type(number) is int and own for number, own in zip(numbers, original, strict=True)]
    at = np.flatnonzero(np.array(usable, bool))
    ids = np.array([numbers[i] for i in at.tolist()], np.int64)
    values, first, counts = np.unique(ids, return_index=True, return_counts=True)
    once = counts == 1  # a number that two samples have names neither
    chosen = at[first[once]]
    widths, heights = (index[side].to_numpy().astype(np.int64)[chosen] for side in ("width_px", "height_px"))
    names = {made.id: made.name for made in snapshot.ontology.classes}
    listed = Listed(file.file.name, values[once], widths, heights, names)
    return Placing(file, listed, index["sample_id"].combine_chunks().take(pa.array(chosen)).cast(pa.string()))
