"""What a check works with: columns of one state, parameters, measures of pixels; and how it reports findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.checks import measures
from calotype.contracts.model import Contract
from calotype.datasets.annotation_columns import (
    COLUMNS,
    AnnotationColumns,
    outlines_of,
    pairs_of_places,
    read_columns,
)
from calotype.datasets.model import CORNERED, RINGED
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import annotation_batches, annotations_at
from calotype.findings.model import Finding
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.vision.close_boxes import ClosePairs
from calotype.vision.polygon_problems import Polygons

KEPT_PER_CHECK = 10_000
"""Maximum number of findings of one check that are stored; all are counted."""

Rows = npt.NDArray[np.int64]
Description = tuple[str, dict[str, Any]]
"""The reason and the facts of a finding."""
Describe = Callable[[int], Description]
"""From a row to the reason and the facts of its finding."""
Parameter = bool | int | float | str
_SAMPLE_COLUMNS = ("sample_id", "name", "width_px", "height_px")
_SMALL_COLUMNS = (*COLUMNS, "ann_id")
"""Columns of a few samples that are read first; others are read when a check needs them."""
_SHAPES_AT_ONCE = 10_000


@dataclass
class Columns:
    """One state of a dataset as columns. A *row* is a position in `samples` or `annotations`.

    With `sample_ids` only these samples and their annotations, as far as the state has them.
    """

    snapshot: Snapshot
    contract: Contract
    store: Store
    progress: Progress = silent
    sample_ids: Sequence[str] | None = None
    _measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    _columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def label_set(self) -> str:
        """The label set under test."""
        return self.contract.label_set

    @cached_property
    def samples(self) -> pa.Table:
        """Ids, names and sizes of the samples, by name."""
        return self.snapshot.samples(ids=self.sample_ids, columns=_SAMPLE_COLUMNS).combine_chunks()

    def samples_with(self, columns: Sequence[str]) -> pa.Table:
        """Other columns of the same samples, in the same order."""
        ids = None if self.sample_ids is None else self.samples["sample_id"].to_pylist()
        return self.snapshot.samples(ids=ids, columns=columns).combine_chunks()

    @cached_property
    def _annotations(self) -> AnnotationColumns:
        """The columns of annotations that most checks need, without their texts."""
        return read_columns(self._annotation_batches(COLUMNS), self.samples["sample_id"])

    def _annotation_batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Columns of all annotations, in the order of rows, without holding them all at once."""
        if self.sample_ids is None:
            yield from annotation_batches(self.store, self.snapshot, self.label_set, columns)
        else:
            yield from self.annotations_with(columns).to_batches()

    def shape_batches(self, kind: str, columns: Sequence[str]) -> Iterator[tuple[Rows, pa.RecordBatch]]:
        """Rows and columns of the annotations of one kind, at most 10,000 at a time, in the order of rows."""
        chosen = self.rows_of_kinds(kind)
        first = 0
        for batch in self._annotation_batches(columns) if len(chosen) else ():
            rows = chosen[slice(*np.searchsorted(chosen, [first, first + batch.num_rows]))]
            for start in range(0, len(rows), _SHAPES_AT_ONCE):
                part = rows[start : start + _SHAPES_AT_ONCE]
                yield part, batch.take(pa.array(part - first))
            first += batch.num_rows

    def rows_of_kinds(self, *kinds: str) -> Rows:
        """Rows of the annotations of some kinds."""
        return np.flatnonzero(self._annotations.are_kinds(*kinds))

    @property
    def n_annotations(self) -> int:
        """Number of annotations."""
        return len(self._annotations.kinds)

    def annotations_at(self, rows: Sequence[int] | Rows, columns: Sequence[str]) -> pa.Table:
        """Columns of some annotations in the order of `rows`."""
        if self.sample_ids is not None:
            return self.annotations_with(columns).take(pa.array(rows, pa.int64()))
        return annotations_at(self.store, self.snapshot, self.label_set, np.asarray(rows).tolist(), columns)

    def annotations_with(self, columns: Sequence[str]) -> pa.Table:
        """Other columns of the same annotations, in the order of the table."""
        if self.sample_ids is not None and set(columns) <= set(_SMALL_COLUMNS):
            return self._small_annotations.select(list(columns))
        table = self.snapshot.annotations(self.label_set, sample_ids=self.sample_ids, columns=columns)
        return table.combine_chunks()

    @cached_property
    def _small_annotations(self) -> pa.Table:
        """The columns that most checks need, of the annotations of a few samples: looked up once."""
        ids = self.sample_ids
        return self.snapshot.annotations(
            self.label_set, sample_ids=ids, columns=_SMALL_COLUMNS
        ).combine_chunks()

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        if self.sample_ids is None and "samples" not in self.__dict__:
            return self.snapshot.count(annotations=False)["samples"]
        return int(self.samples.num_rows)

    def column(self, name: str) -> npt.NDArray[Any]:
        """A sample column as NumPy."""
        if name not in self._columns:
            table = self.samples if name in _SAMPLE_COLUMNS else self.samples_with([name])
            self._columns[name] = np.asarray(table[name].to_numpy(zero_copy_only=False))
        return self._columns[name]

    def annotation_column(self, name: str) -> npt.NDArray[Any]:
        """An annotation column as NumPy; numbers that are absent are NaN."""
        key = f"annotations.{name}"
        if key not in self._columns:
            if name == "class_id":
                return self._annotations.classes
            if name in "xywh":
                return self.boxes_xywh_px[:, "xywh".index(name)]
            table = self.annotations_with([name])
            self._columns[key] = np.asarray(table[name].to_numpy(zero_copy_only=False))
        return self._columns[key]

    @property
    def kinds(self) -> npt.NDArray[np.int8]:
        """(N,) the place of each annotation's kind in `KINDS`."""
        return self._annotations.kinds

    @property
    def sample_of(self) -> Rows:
        """For each annotation the row of its sample, -1 where there is none."""
        return self._annotations.sample_of

    def rows_of(self, sample_ids: pa.ChunkedArray | pa.Array) -> Rows:
        """Rows of samples with these ids, -1 where there is none."""
        rows = pc.index_in(sample_ids, value_set=self.samples["sample_id"].combine_chunks())
        return np.asarray(pc.fill_null(rows, -1).to_numpy(), dtype=np.int64)

    @property
    def boxes_xywh_px(self) -> npt.NDArray[np.float64]:
        """(N, 4) boxes of all annotations; NaN where there is none."""
        return self._annotations.boxes_xywh_px


@dataclass
class CheckContext(Columns):
    """What a check looks at: the columns, and what is derived from them once for all checks (`worked_out`)."""

    worked_out: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def close_pairs(self) -> ClosePairs:
        """Pairs of annotations on one sample that nearly cover each other; lines and points cover nothing."""
        return pairs_of_places(self._annotations, self._rings_at)

    def _rings_at(self, rows: Rows) -> list[Any]:
        return list(self.annotations_at(rows, ["rings"])["rings"].to_pylist())

    def are_kinds(self, *kinds: str) -> npt.NDArray[np.bool_]:
        """(N,) annotations of some kinds."""
        return self._annotations.are_kinds(*kinds)

    @cached_property
    def covers(self) -> npt.NDArray[np.bool_]:
        """(N,) annotations whose kind covers a place: not polylines and points, whose boxes are only their bounds."""
        return self._annotations.cover

    @cached_property
    def sides_px(self) -> npt.NDArray[np.float64]:
        """(N, 2) width and height of each box, of rotated boxes and ellipses along their own axes."""
        sides = self.boxes_xywh_px[:, 2:].copy()
        for kind in CORNERED:
            sides[self.outlines[kind].rows] = self.outlines[kind].sides_px
        return sides

    @cached_property
    def outlines(self) -> dict[str, Polygons]:
        """Kind -> all its shapes of rings, with their problems; each is read once, whatever the number of checks."""
        return {
            str(kind): Polygons.joined(
                [
                    outlines_of(kind, rows, batch["rings"])
                    for rows, batch in self.shape_batches(kind, ["rings"])
                ]
            )
            for kind in sorted(RINGED)
        }

    def shapes(self, kind: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Row and values of each annotation of one kind, in the order of rows."""
        for rows, batch in self.shape_batches(kind, columns):
            yield from zip(rows.tolist(), batch.to_pylist(), strict=True)

    @cached_property
    def root(self) -> Rows:
        """For each sample the row of the original that it was derived from (its own row for an original)."""
        own = np.arange(self.n_samples, dtype=np.int64)
        parent = self.rows_of(self.samples_with(["parent_id"])["parent_id"])
        root = np.where(parent >= 0, parent, own)
        for _ in range(20):
            further = root[root]
            if np.array_equal(further, root):
                break
            root = further
        return root

    def measured(self, name: str) -> dict[str, Any]:
        """A measure of all media: SHA-256 -> value; media without whole pixels are absent."""
        if name not in self._measured:
            self._measured.update(self._measure(measures.NAMES))
        if name not in self._measured:
            self._measured.update(self._measure([name]))
        return self._measured[name]

    def _measure(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        return measures.measure(
            self.store, self.snapshot, names, sample_ids=self.sample_ids, progress=self.progress
        )

    def name_of(self, row: int) -> str:
        """A sample's name."""
        return str(self.samples["name"][int(row)].as_py())

    def class_name(self, class_id: int) -> str:
        """A class's name, or its number where the ontology lacks it."""
        known = self.snapshot.ontology.by_id(int(class_id))
        return known.name if known is not None else f"class {int(class_id)}"

    def class_of(self, row: int) -> str:
        """The name of an annotation's class."""
        return self.class_name(self._annotations.classes[row])


@dataclass
class Tally:
    """Collects the findings of one check: counts all, keeps the first `KEPT_PER_CHECK`.

    `reference` is what the check learned from all samples, such as the usual size of a class: filled by a full run,
    passed on to the runs that continue from it.
    """

    context: CheckContext
    check: str
    parameters: Mapping[str, Parameter]
    severity: str
    looked_at: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    forced: bool = False
    reference: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """A parameter that is a number."""
        return float(self.parameters[name])

    def samples(
        self,
        rows: Iterable[int] | Rows,
        describe: Describe,
        *,
        severity: str = "",
        fault: str = "",
        about: str = "",
    ) -> None:
        """A finding for each of these samples; `describe(row)` is called only for those that are kept.

        Args:
            fault: Which of the check's faults; by default the fact `fault`.
            about: What distinguishes several findings of one fault at one place, such as a field.
        """
        self._add(list(rows), describe, severity, self._sample_places, fault, about)

    def annotations(
        self,
        rows: Iterable[int] | Rows,
        describe: Describe,
        *,
        severity: str = "",
        fault: str = "",
        about: str = "",
    ) -> None:
        """A finding for each of these annotations."""
        self._add(list(rows), describe, severity, self._annotation_places, fault, about)

    def annotations_by_fault(self, findings: Mapping[int, Description]) -> None:
        """A finding for each of these annotations, of one fault (the fact `fault`) after the other."""
        rows = sorted(findings)
        faults = [findings[row][1]["fault"] for row in rows]
        for fault in dict.fromkeys(faults):
            same = [row for row, name in zip(rows, faults, strict=True) if name == fault]
            self.annotations(same, findings.__getitem__)

    def dataset(
        self,
        reason: str,
        facts: dict[str, Any],
        *,
        severity: str = "",
        label_set: str = "",
        fault: str = "",
        about: str = "",
    ) -> None:
        """A finding on the dataset as a whole; `about` names the class, field or condition that it is about."""
        self._add(
            [0], lambda _: (reason, facts), severity, lambda _: [{"label_set": label_set}], fault, about
        )

    def _add(
        self,
        rows: list[int],
        describe: Describe,
        severity: str,
        places: Callable[[list[int]], list[dict[str, str]]],
        fault: str,
        about: str,
    ) -> None:
        if not rows:
            return
        level = severity if severity and not self.forced else self.severity
        self.counts[level] = self.counts.get(level, 0) + len(rows)
        kept = [int(row) for row in rows[: max(0, KEPT_PER_CHECK - len(self.findings))]]
        for row, where in zip(kept, places(kept), strict=True):
            reason, facts = describe(row)
            which = fault or str(facts.get("fault", ""))
            self.findings.append(
                Finding(self.check, level, reason, facts=facts, fault=which, about=about, **where)
            )

    def _sample_places(self, rows: list[int]) -> list[dict[str, str]]:
        taken = self.context.samples.select(["sample_id", "name"]).take(pa.array(rows, pa.int64()))
        return [{"sample_id": row["sample_id"], "sample": row["name"]} for row in taken.to_pylist()]

    def _annotation_places(self, rows: list[int]) -> list[dict[str, str]]:
        context = self.context
        ids = context.annotations_at(rows, ["ann_id"])["ann_id"].to_pylist()
        of = [int(context.sample_of[row]) for row in rows]
        samples = iter(self._sample_places([row for row in of if row >= 0]))
        return [
            {
                "annotation_id": ann_id,
                "label_set": context.label_set,
                **(next(samples) if sample >= 0 else {}),
            }
            for ann_id, sample in zip(ids, of, strict=True)
        ]
