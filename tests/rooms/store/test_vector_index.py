"""The index of a large table of vectors: built as a stand-in, extended, merged, searched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.support.cities import ANA

from calotype.store.maintenance import vector_index
from calotype.store.tables.row_lookup import ColumnValues, row_ids

DIM = 8
SCHEMA = pa.schema([pa.field("sample_id", pa.string()), pa.field("vector", pa.list_(pa.float32(), DIM))])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Tables count as large from 300 rows on."""
    monkeypatch.setattr(vector_index, "MIN_ROWS", 300)
    monkeypatch.setattr(vector_index, "MAX_UNINDEXED_ROWS", 50)
    monkeypatch.setattr(vector_index, "_ROWS_PER_CELL", 128)


def vectors(n, *, start=0, seed=0):
    """`n` vectors of length 1, by the ids `v00000`, ...; shape (n, 8)."""
    matrix = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    return table(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), start)


def table(matrix, start=0):
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), DIM)
    return pa.table(
        {"sample_id": [f"v{start + row:05}" for row in range(len(matrix))], "vector": column}, SCHEMA
    )


class Vectors:
    """A table of vectors and its newest pin."""

    def __init__(self, catalog, tables):
        self.catalog, self.tables = catalog, tables
        self.pin: Any = None

    def put(self, rows):
        removed_ids = []
        if self.pin is not None:
            existing = [ColumnValues("sample_id", rows["sample_id"].to_pylist())]
            removed_ids = row_ids(self.tables.at("v", self.pin), existing, key="sample_id")[0]
        staged = self.tables.stage("v", rows, schema=SCHEMA)
        self.pin = self.tables.publish("v", pin=self.pin, schema=SCHEMA, remove=removed_ids, staged=staged)

    def update(self, **options):
        return vector_index.update_index(
            ANA, self.catalog, self.tables, "v", self.pin, "vector", subject="shop", **options
        )

    def gap(self, **options):
        return vector_index.find_gap(self.tables, "v", self.pin, "vector", **options)

    @property
    def n_indexed(self):
        return vector_index.n_indexed_rows(self.tables, "v", self.pin, "vector")

    def nearest(self, wanted, n=5, **options):
        return vector_index.nearest_candidates(
            self.tables, "v", self.pin, "vector", wanted, n, columns=["sample_id"], **options
        )


@pytest.fixture
def vectors_table(catalog, tables):
    return Vectors(catalog, tables)


class TestUpdateIndex:
    """Which rows are indexed, and when."""

    def test_a_small_table_gets_none(self, vectors_table):
        vectors_table.put(vectors(300))
        assert (vectors_table.gap(), vectors_table.update(), vectors_table.n_indexed) == (None, True, 0)
        assert vectors_table.nearest(np.ones(DIM, np.float32)) is None

    def test_a_large_table_gets_one_and_its_pin_is_unchanged(self, vectors_table):
        vectors_table.put(vectors(400))
        assert vectors_table.gap().n_rows == 400
        assert vectors_table.update()
        assert (vectors_table.n_indexed, vectors_table.gap()) == (400, None)
        assert vectors_table.tables.count("v", vectors_table.pin) == 400

    def test_an_audit_event_is_recorded(self, vectors_table):
        vectors_table.put(vectors(400))
        vectors_table.update()
        with vectors_table.catalog.read() as conn:
            event = conn.exec_driver_sql("SELECT verb, subject, details FROM audit").one()
        assert event[:2] == ("vectors.index", "shop")
        assert '"rows": 400' in event[2] or '"rows":400' in event[2]

    def test_a_few_new_rows_stay_unindexed_and_are_still_found(self, vectors_table):
        vectors_table.put(vectors(400))
        vectors_table.update()
        vectors_table.put(vectors(10, start=400, seed=9))
        assert (vectors_table.gap(), vectors_table.n_indexed) == (None, 400)
        wanted = np.asarray(vectors(10, start=400, seed=9)["vector"][3].as_py(), np.float32)
        assert vectors_table.nearest(wanted, 1)["sample_id"].to_pylist() == ["v00403"]

    def test_many_new_rows_get_a_segment_of_their_own(self, vectors_table):
        vectors_table.put(vectors(1_000))
        vectors_table.update()
        vectors_table.put(vectors(200, start=1_000, seed=1))
        gap = vectors_table.gap()
        assert (gap.n_rows, gap.replaces) == (200, ())
        assert vectors_table.update()
        assert vectors_table.n_indexed == 1_200

    def test_more_new_rows_than_old_ones_rebuild_the_index_as_one_segment(self, vectors_table):
        vectors_table.put(vectors(400))
        vectors_table.update()
        vectors_table.put(vectors(600, start=400, seed=1))
        gap = vectors_table.gap()
        assert (gap.n_rows, len(gap.replaces)) == (1_000, 1)
        assert vectors_table.update()
        assert (vectors_table.n_indexed, vectors_table.gap()) == (1_000, None)

    def test_rebuild_indexes_all_rows_again(self, vectors_table):
        vectors_table.put(vectors(400))
        vectors_table.update()
        gap = vectors_table.gap(rebuild=True)
        assert (gap.n_rows, len(gap.replaces)) == (400, 1)
        assert vectors_table.update(rebuild=True)
        assert vectors_table.n_indexed == 400

    def test_a_table_that_became_small_loses_its_index_only_on_rebuild(self, vectors_table):
        vectors_table.put(vectors(400))
        vectors_table.update()
        removed_ids = row_ids(
            vectors_table.tables.at("v", vectors_table.pin),
            [ColumnValues("sample_id", [f"v{n:05}" for n in range(200)])],
            key="sample_id",
        )[0]
        vectors_table.pin = vectors_table.tables.publish(
            "v", pin=vectors_table.pin, schema=SCHEMA, remove=removed_ids
        )
        assert vectors_table.gap() is None
        assert vectors_table.update(rebuild=True)
        assert (vectors_table.n_indexed, vectors_table.tables.count("v", vectors_table.pin)) == (0, 200)

    def test_a_table_of_zero_vectors_gets_none(self, vectors_table):
        vectors_table.put(table(np.zeros((400, DIM), np.float32)))
        assert vectors_table.update()
        assert vectors_table.n_indexed == 0

    def test_files_that_changed_meanwhile_postpone_the_update(self, vectors_table, monkeypatch):
        vectors_table.put(vectors(400))
        real = vector_index.find_gap

        def find_gap_before_another_update(*args, **options):
            gap = real(*args, **options)
            monkeypatch.setattr(vector_index, "find_gap", real)
            vectors_table.update()
            return gap

        monkeypatch.setattr(vector_index, "find_gap", find_gap_before_another_update)
        assert vectors_table.update() is False
        assert (vectors_table.update(), vectors_table.n_indexed) == (True, 400)


class TestNearestCandidates:
    """Approximate nearest rows."""

    @pytest.fixture
    def indexed(self, vectors_table):
        vectors_table.put(vectors(600))
        vectors_table.update()
        return vectors_table

    def test_the_vector_itself_is_nearest(self, indexed):
        wanted = np.asarray(vectors(600)["vector"][123].as_py(), np.float32)
        candidates = indexed.nearest(wanted, 5)
        assert candidates.column_names == ["sample_id", "_distance"]
        assert candidates["sample_id"][0].as_py() == "v00123"
        distances = candidates["_distance"].to_pylist()
        assert distances == sorted(distances)

    def test_a_filter_excludes_other_rows(self, indexed):
        wanted = np.asarray(vectors(600)["vector"][123].as_py(), np.float32)
        candidates = indexed.nearest(wanted, 5, where="sample_id != 'v00123'")
        assert "v00123" not in candidates["sample_id"].to_pylist()
        assert candidates.num_rows == 5

    def test_a_removed_row_is_not_found(self, indexed):
        wanted = np.asarray(vectors(600)["vector"][123].as_py(), np.float32)
        removed_ids = row_ids(
            indexed.tables.at("v", indexed.pin), [ColumnValues("sample_id", ["v00123"])], key="sample_id"
        )[0]
        before = indexed.pin
        indexed.pin = indexed.tables.publish("v", pin=before, schema=SCHEMA, remove=removed_ids)
        assert "v00123" not in indexed.nearest(wanted)["sample_id"].to_pylist()
        indexed.pin = before
        assert "v00123" in indexed.nearest(wanted)["sample_id"].to_pylist()
