"""The index of a large table of vectors: built behind a stand-in, topped up, merged, asked."""

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
        {"sample_id": [f"v{start + at:05}" for at in range(len(matrix))], "vector": column}, SCHEMA
    )


class Vectors:
    """A table of vectors and its newest pin."""

    def __init__(self, catalog, tables):
        self.catalog, self.tables = catalog, tables
        self.pin: Any = None

    def put(self, rows):
        gone = []
        if self.pin is not None:
            having = [ColumnValues("sample_id", rows["sample_id"].to_pylist())]
            gone = row_ids(self.tables.at("v", self.pin), having, key="sample_id")[0]
        staged = self.tables.stage("v", rows, schema=SCHEMA)
        self.pin = self.tables.publish("v", pin=self.pin, schema=SCHEMA, remove=gone, staged=staged)

    def supply(self, **options):
        return vector_index.update_index(
            ANA, self.catalog, self.tables, "v", self.pin, "vector", subject="shop", **options
        )

    def lack(self, **options):
        return vector_index.find_gap(self.tables, "v", self.pin, "vector", **options)

    @property
    def covered(self):
        return vector_index.n_indexed_rows(self.tables, "v", self.pin, "vector")

    def likely(self, wanted, n=5, **options):
        return vector_index.nearest_candidates(
            self.tables, "v", self.pin, "vector", wanted, n, columns=["sample_id"], **options
        )


@pytest.fixture
def held(catalog, tables):
    return Vectors(catalog, tables)


class TestSupply:
    """What is built, and when."""

    def test_a_small_table_gets_none(self, held):
        held.put(vectors(300))
        assert (held.lack(), held.supply(), held.covered) == (None, True, 0)
        assert held.likely(np.ones(DIM, np.float32)) is None

    def test_a_large_table_gets_one_and_its_pin_stays(self, held):
        held.put(vectors(400))
        assert held.lack().n_rows == 400
        assert held.supply()
        assert (held.covered, held.lack()) == (400, None)
        assert held.tables.count("v", held.pin) == 400

    def test_it_is_written_down(self, held):
        held.put(vectors(400))
        held.supply()
        with held.catalog.read() as conn:
            event = conn.exec_driver_sql("SELECT verb, subject, details FROM audit").one()
        assert event[:2] == ("vectors.index", "shop")
        assert '"rows": 400' in event[2] or '"rows":400' in event[2]

    def test_few_new_rows_wait_and_are_found_all_the_same(self, held):
        held.put(vectors(400))
        held.supply()
        held.put(vectors(10, start=400, seed=9))
        assert (held.lack(), held.covered) == (None, 400)
        wanted = np.asarray(vectors(10, start=400, seed=9)["vector"][3].as_py(), np.float32)
        assert held.likely(wanted, 1)["sample_id"].to_pylist() == ["v00403"]

    def test_many_new_rows_get_a_part_of_their_own(self, held):
        held.put(vectors(1_000))
        held.supply()
        held.put(vectors(200, start=1_000, seed=1))
        needed = held.lack()
        assert (needed.n_rows, needed.replaces) == (200, ())
        assert held.supply()
        assert held.covered == 1_200

    def test_more_new_rows_than_old_ones_make_one_index_of_all(self, held):
        held.put(vectors(400))
        held.supply()
        held.put(vectors(600, start=400, seed=1))
        needed = held.lack()
        assert (needed.n_rows, len(needed.replaces)) == (1_000, 1)
        assert held.supply()
        assert (held.covered, held.lack()) == (1_000, None)

    def test_asked_for_anew_all_of_it_is_built_again(self, held):
        held.put(vectors(400))
        held.supply()
        needed = held.lack(rebuild=True)
        assert (needed.n_rows, len(needed.replaces)) == (400, 1)
        assert held.supply(rebuild=True)
        assert held.covered == 400

    def test_a_table_that_became_small_loses_its_index_only_when_asked_anew(self, held):
        held.put(vectors(400))
        held.supply()
        gone = row_ids(
            held.tables.at("v", held.pin),
            [ColumnValues("sample_id", [f"v{n:05}" for n in range(200)])],
            key="sample_id",
        )[0]
        held.pin = held.tables.publish("v", pin=held.pin, schema=SCHEMA, remove=gone)
        assert held.lack() is None
        assert held.supply(rebuild=True)
        assert (held.covered, held.tables.count("v", held.pin)) == (0, 200)

    def test_vectors_of_zeros_alone_need_none(self, held):
        held.put(table(np.zeros((400, DIM), np.float32)))
        assert held.supply()
        assert held.covered == 0

    def test_files_that_changed_meanwhile_leave_it_to_the_next_time(self, held, monkeypatch):
        held.put(vectors(400))
        real = vector_index.find_gap

        def then_another_indexes(*args, **options):
            needed = real(*args, **options)
            monkeypatch.setattr(vector_index, "find_gap", real)
            held.supply()
            return needed

        monkeypatch.setattr(vector_index, "find_gap", then_another_indexes)
        assert held.supply() is False
        assert (held.supply(), held.covered) == (True, 400)


class TestLikely:
    """Rows that seem to lie nearest."""

    @pytest.fixture
    def indexed(self, held):
        held.put(vectors(600))
        held.supply()
        return held

    def test_the_vector_itself_is_nearest(self, indexed):
        wanted = np.asarray(vectors(600)["vector"][123].as_py(), np.float32)
        nearest = indexed.likely(wanted, 5)
        assert nearest.column_names == ["sample_id", "_distance"]
        assert nearest["sample_id"][0].as_py() == "v00123"
        distances = nearest["_distance"].to_pylist()
        assert distances == sorted(distances)

    def test_a_filter_leaves_others_out(self, indexed):
        wanted = np.asarray(vectors(600)["vector"][123].as_py(), np.float32)
        nearest = indexed.likely(wanted, 5, where="sample_id != 'v00123'")
        assert "v00123" not in nearest["sample_id"].to_pylist()
        assert nearest.num_rows == 5

    def test_a_row_that_is_gone_is_not_found(self, indexed):
        wanted = np.asarray(vectors(600)["vector"][123].as_py(), np.float32)
        gone = row_ids(
            indexed.tables.at("v", indexed.pin), [ColumnValues("sample_id", ["v00123"])], key="sample_id"
        )[0]
        before = indexed.pin
        indexed.pin = indexed.tables.publish("v", pin=before, schema=SCHEMA, remove=gone)
        assert "v00123" not in indexed.likely(wanted)["sample_id"].to_pylist()
        indexed.pin = before
        assert "v00123" in indexed.likely(wanted)["sample_id"].to_pylist()
