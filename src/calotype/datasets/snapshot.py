"""Reads a dataset at one ref. A snapshot is immutable: it does not see later writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import query, rows
from calotype.datasets.commits import DatasetInfo, Documents, Pins
from calotype.datasets.model import DEFAULT_LABEL_SET, Annotation, Sample
from calotype.datasets.query.compile import Compiler
from calotype.datasets.query.matching import matching_ids
from calotype.foundation.collector import collector_paused
from calotype.foundation.errors import NotFound
from calotype.foundation.ids import sha256_json
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues, in_filter, read_matching
from calotype.vision.ontology import Ontology

_SAMPLES_MADE, _SAMPLES_READ = 5_000, 100_000
_FEW_SAMPLES = 20_000
"""Up to this number are looked up a few at a time; more are read with a scan of the table for each part."""
_IN_MEMORY_ROWS = 2_000_000

Where = str | query.Expression | None


class SampleNotFound(NotFound):
    """No sample with this id or name."""

    code = "sample-not-found"
    what = "no sample {got!r} in {dataset}"
    fix = "list them with `calotype samples {dataset}`, or read an older ref"


class LabelSetNotFound(NotFound):
    """No label set of this name."""

    code = "label-set-not-found"
    what = "{dataset} has no label set {got!r}"
    fix = "use one of: {known}"


class Snapshot:
    """One state of a dataset, defined by the pinned version of each table and the hashes of its documents.

    `commit_id` is None for a working state that differs from the head of its branch. Thread-safe.
    """

    def __init__(
        self,
        store: Store,
        *,
        dataset: DatasetInfo,
        ref: str,
        commit_id: str | None,
        pins: Pins,
        documents: Documents,
        bodies: Mapping[str, str],
    ) -> None:
        self.dataset = dataset
        self.ref = ref
        self.commit_id = commit_id
        self.pins = dict(pins)
        self.documents = dict(documents)
        self.bodies = dict(bodies)
        self._store = store
        self.tables, self.media = store.tables, store.media

    @property
    def name(self) -> str:
        """`dataset@ref`, or the dataset alone for its working state."""
        return f"{self.dataset.name}@{self.ref}" if self.ref else self.dataset.name

    @cached_property
    def state_sha256(self) -> str:
        """A hash of the state. Equal hashes mean equal rows and documents."""
        return sha256_json({"dataset": self.dataset.id, "pins": self.pins, "documents": self.documents})

    @cached_property
    def ontology(self) -> Ontology:
        """The ontology: the classes of the dataset."""
        text = self.bodies.get("ontology")
        return Ontology.from_json(json.loads(text)) if text else Ontology()

    @cached_property
    def fields(self) -> dict[str, str]:
        """Metadata field -> type: str, int, float or bool."""
        return dict(json.loads(self.bodies.get("fields", "{}")))

    @property
    def contract_text(self) -> str | None:
        """The contract as YAML text; None if the dataset has none."""
        return self.bodies.get("contract")

    @cached_property
    def info(self) -> dict[str, Any]:
        """File-level keys kept from imports, e.g. COCO `info` and `licenses`."""
        return dict(json.loads(self.bodies.get("info", "{}")))

    @cached_property
    def label_sets(self) -> tuple[str, ...]:
        """Names of the label sets, `ground_truth` first."""
        names = json.loads(self.bodies.get("label_sets", "[]"))
        return tuple(sorted(names, key=lambda name: (name != DEFAULT_LABEL_SET, name)))

    def count(
        self, where: Where = None, *, label_set: str | None = None, annotations: bool = True
    ) -> dict[str, int]:
        """Count matching samples and, unless `annotations` is False, their annotations in one or all label sets."""
        sets = () if not annotations else self.label_sets if label_set is None else (label_set,)
        if where is None:
            n_samples = self._count(rows.SAMPLES)
            return {"samples": n_samples, "annotations": sum(self._count(self._table(name)) for name in sets)}
        matching_ids = self._matching(where, label_set or DEFAULT_LABEL_SET)
        return {
            "samples": len(matching_ids),
            "annotations": sum(self._count_on(name, matching_ids) for name in sets),
        }

    def by_class(self, where: Where = None, *, label_set: str = DEFAULT_LABEL_SET) -> dict[str, int]:
        """Number of annotations by class, most frequent first; unused classes have 0."""
        if where is None and self._table(label_set) in self.pins:
            table = self._columns(self._table(label_set), ["class_id"])
        else:
            table = self.annotations(label_set, where=where, columns=["class_id"])
        count_by_id = {
            entry["values"]: entry["counts"] for entry in table["class_id"].value_counts().to_pylist()
        }
        counts = {c.name: int(count_by_id.get(c.id, 0)) for c in self.ontology.classes}
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def ids(self, where: Where = None, *, label_set: str = DEFAULT_LABEL_SET) -> list[str]:
        """Ids of matching samples, ordered by name.

        Raises: QueryInvalid, QueryFieldUnknown.
        """
        index = self._index
        if where is None:
            return list(index["sample_id"].to_pylist())
        matching_ids = self._matching(where, label_set)
        return list(
            index.filter(pc.is_in(index["sample_id"], value_set=matching_ids))["sample_id"].to_pylist()
        )

    def samples(
        self,
        *,
        where: Where = None,
        ids: Sequence[str] | None = None,
        label_set: str = DEFAULT_LABEL_SET,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Sample rows (`rows.SAMPLE_SCHEMA`), in the order of `ids` if given, else ordered by name."""
        if ids is None and where is None:
            wanted, is_selection = self._index["sample_id"].combine_chunks(), False
        else:
            wanted = pa.array(self.ids(where, label_set=label_set) if ids is None else list(ids), pa.string())
            is_selection = ids is not None
        if rows.SAMPLES not in self.pins or len(wanted) == 0:
            empty = rows.SAMPLE_SCHEMA.empty_table()
            return empty if columns is None else empty.select(list(columns))
        read_columns = None if columns is None else [*dict.fromkeys(["sample_id", *columns])]
        table = (
            self._read_some(rows.SAMPLES, read_columns, wanted)
            if is_selection
            else self._read(rows.SAMPLES, read_columns)
        )
        order = pc.index_in(wanted, value_set=table["sample_id"].combine_chunks())
        table = table.take(order.drop_null())
        return table if columns is None else table.select(list(columns))

    def iter_samples(self, *, where: Where = None, ids: Sequence[str] | None = None) -> Iterator[Sample]:
        """Samples as values, in the order of `ids` if given, else ordered by name."""
        wanted = self.ids(where) if ids is None else list(ids)
        n_read = _SAMPLES_MADE if len(wanted) <= _FEW_SAMPLES else _SAMPLES_READ
        for start in range(0, len(wanted), n_read):
            table = self.samples(ids=wanted[start : start + n_read])
            for at in range(0, table.num_rows, _SAMPLES_MADE):
                with collector_paused():
                    samples = rows.samples_from_arrow(table.slice(at, _SAMPLES_MADE))
                yield from samples

    def sample(self, sample_id: str) -> Sample:
        """One sample by id, or by its name.

        Raises: SampleNotFound.
        """
        samples = rows.samples_from_arrow(self.samples(ids=[sample_id]))
        if not samples:
            index = self._index
            ids = index.filter(pc.equal(index["name"], sample_id))["sample_id"].to_pylist()
            samples = rows.samples_from_arrow(self.samples(ids=ids[:1])) if ids else []
        if not samples:
            raise SampleNotFound(got=sample_id, dataset=self.dataset.name)
        return samples[0]

    def annotations(
        self,
        label_set: str = DEFAULT_LABEL_SET,
        *,
        where: Where = None,
        sample_ids: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Annotation rows (`rows.ANNOTATION_SCHEMA`) of matching samples, ordered by sample and id.

        Empty for a label set without annotations.
        """
        table_name = self._table(label_set)
        read_columns = None if columns is None else [*dict.fromkeys(["sample_id", *columns])]
        if table_name not in self.pins:
            empty = rows.ANNOTATION_SCHEMA.empty_table()
            return empty if columns is None else empty.select(list(columns))
        if where is not None:
            sample_ids = self.ids(where, label_set=label_set)
        if sample_ids is None:
            annotations = self._read(table_name, read_columns)
        else:
            annotations = self._read_some(table_name, read_columns, pa.array(sample_ids, pa.string()))
        return annotations if columns is None else annotations.select(list(columns))

    def annotations_of(
        self, sample_ids: Sequence[str], label_set: str = DEFAULT_LABEL_SET
    ) -> dict[str, list[Annotation]]:
        """Sample id -> its annotations, ordered by id; an empty list for a sample without annotations."""
        by_sample: dict[str, list[Annotation]] = {sample_id: [] for sample_id in sample_ids}
        for annotation in rows.annotations_from_arrow(self.annotations(label_set, sample_ids=sample_ids)):
            by_sample[annotation.sample_id].append(annotation)
        for of_sample in by_sample.values():
            of_sample.sort(key=lambda annotation: annotation.ann_id)
        return by_sample

    def image_bytes(self, sample: Sample) -> bytes:
        """The stored bytes of a sample's image. Raises: MediaMissing."""
        return self.media.read(sample.media_sha256)

    def image_path(self, sample: Sample | str) -> Path:
        """A readable file with the bytes of a sample, given as a sample or as its media hash."""
        return self.media.path(sample if isinstance(sample, str) else sample.media_sha256)

    def rows_of(
        self, table: str, *, not_in: Snapshot | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """All rows of one table (`samples`, `ann/...`), in no particular order.

        With `not_in`, only the rows of files that the other state does not have: all rows that differ, and possibly
        some that are equal.
        """
        if table not in self.pins:
            empty = rows.schema_of(table).empty_table()
            return empty if columns is None else empty.select(list(columns))
        if not_in is not None and table in not_in.pins:
            full = f"{self.dataset.id}/{table}"
            return self._store.tables.only_in(full, self.pins[table], not_in.pins[table], columns=columns)
        return self._read(table, None) if columns is None else self._columns(table, columns)

    @cached_property
    def _index(self) -> pa.Table:
        if rows.SAMPLES not in self.pins:
            return rows.SAMPLE_SCHEMA.empty_table().select(["sample_id", "name"])
        table, pin = f"{self.dataset.id}/{rows.SAMPLES}", self.pins[rows.SAMPLES]
        order = [("name", "ascending"), ("sample_id", "ascending")]
        tables = self._store.tables
        return tables.cached(
            ("by name", table, pin),
            lambda: tables.read(table, pin, columns=["sample_id", "name"]).sort_by(order),
        )

    def _matching(self, where: str | query.Expression, label_set: str) -> pa.Array:
        """Ids of matching samples, in no particular order."""
        compiled = compiler_of(self).compile(query.parse(where) if isinstance(where, str) else where)
        if rows.SAMPLES not in self.pins:
            return pa.array([], pa.string())
        sources = {"s": self._scanned(rows.SAMPLES, ["sample_id", *compiled.columns("s")])}
        if compiled.needs_annotations:
            sources["a"] = self._scanned(self._table(label_set), ["sample_id", *compiled.columns("a")])
        return matching_ids(compiled, sources).combine_chunks().cast(pa.string())

    def _scanned(self, table: str, columns: Sequence[str]) -> Any:
        """A source for DuckDB: columns in memory for a small table, the files of a large one."""
        if table not in self.pins:
            return rows.schema_of(table).empty_table()
        if self._count(table) > _IN_MEMORY_ROWS:
            return self._store.tables.at(f"{self.dataset.id}/{table}", self.pins[table])
        return self._columns(table, sorted(set(columns)))

    def _columns(self, table: str, names: Sequence[str]) -> pa.Table:
        return self._store.tables.columns(f"{self.dataset.id}/{table}", self.pins[table], names)

    def _count_on(self, label_set: str, ids: pa.Array) -> int:
        """Number of annotations of these samples in a label set."""
        table = self._table(label_set)
        if table not in self.pins or len(ids) == 0:
            return 0
        if len(ids) <= 1_000:
            where = in_filter("sample_id", ids.to_pylist())
            return self._store.tables.count(f"{self.dataset.id}/{table}", self.pins[table], where=where)
        return int(pc.sum(pc.is_in(self._columns(table, ["sample_id"])["sample_id"], ids)).as_py() or 0)

    def _read(self, table: str, columns: list[str] | None) -> pa.Table:
        return self._store.tables.read(f"{self.dataset.id}/{table}", self.pins[table], columns=columns)

    def _read_some(self, table: str, columns: list[str] | None, sample_ids: pa.Array) -> pa.Table:
        """The rows of some samples; for many samples the table is scanned in batches."""
        names = columns if columns is not None else rows.schema_of(table).names
        dataset = self._store.tables.at(f"{self.dataset.id}/{table}", self.pins[table])
        return read_matching(dataset, ColumnValues("sample_id", sample_ids.to_pylist()), names).select(names)

    def _count(self, table: str) -> int:
        if table not in self.pins:
            return 0
        return self._store.tables.count(f"{self.dataset.id}/{table}", self.pins[table])

    def _table(self, label_set: str) -> str:
        return rows.annotation_table(label_set)


def compiler_of(state: Snapshot, *, metadata_columns: bool = False) -> Compiler:
    """A compiler of queries on a state; see `Compiler` for `metadata_columns`."""
    port = state._store.samples_with_findings
    return Compiler(
        ontology=state.ontology,
        fields=state.fields,
        findings=None if port is None else partial(port, state._store, state),
        metadata_columns=metadata_columns,
    )
