"""`gc` on tables of vectors that have an index in several parts."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.curate import vectors
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.reliability import service
from calotype.store.maintenance import table_files, vector_index

IDS = [f"{at:032x}" for at in range(900)]


@pytest.fixture
def crowd(workspace, owner, monkeypatch):
    """900 samples with vectors, put in three edits, so that the index has three parts."""
    monkeypatch.setattr(vector_index, "MIN_ROWS", 200)
    monkeypatch.setattr(vector_index, "MAX_UNINDEXED_ROWS", 50)
    samples = [Sample(one, one * 2, f"{one}.jpg", 64, 48, "image/jpeg", 1) for one in IDS]
    datasets.create(owner, "crowd", store=workspace)
    datasets.apply(owner, "crowd", Change(put_samples=rows.samples_to_arrow(samples)), store=workspace)
    for start, end in ((0, 500), (500, 700), (700, 900)):
        put(workspace, owner, IDS[start:end], np.random.default_rng(start).normal(size=(end - start, 16)))
    return workspace


def put(store, owner, ids, matrix):
    vectors.put_vectors(owner, "crowd", "clip", ids, matrix, store=store)


def place(store, owner):
    state = datasets.read(owner, "crowd", store=store)
    return f"{state.dataset.id}/vec/clip", state.pins["vec/clip"]


def parts(store, owner):
    return [len(one.segments) for one in store.tables.at(*place(store, owner)).describe_indices()]


def test_segments_of_an_index_do_not_prevent_compaction(crowd, owner):
    assert parts(crowd, owner) == [3]
    done = service.gc(owner, store=crowd, always_compact=True)
    compacted = {one.table.rpartition("/")[2]: (one.files_after, one.refused) for one in done.compacted}
    assert compacted["clip"] == (1, "")
    assert parts(crowd, owner) == [1]


def test_stand_ins_of_unreferenced_pins_are_removed_with_their_versions(crowd, owner):
    table, pin = place(crowd, owner)
    assert len([name for name in table_files.tags(crowd.tables, table) if name.startswith("pin-")]) > 1
    for _ in range(2):
        service.gc(owner, store=crowd, grace_s=0, always_compact=True)
    assert [name for name in table_files.tags(crowd.tables, table) if name.startswith("pin-")] == [
        f"pin-{pin}"
    ]
    assert len(table_files.versions(crowd.tables, table)) == 1


@pytest.mark.parametrize("n", [300, 900], ids=["of a part", "of all"])
def test_zero_vectors_that_no_index_can_start_with_are_stored(crowd, owner, n):
    put(crowd, owner, IDS[:n], np.zeros((n, 16)))
    found = vectors.nearest(owner, "crowd", "clip", np.ones(16), 900, store=crowd)
    assert found.num_rows == 900
    assert found["distance"].to_pylist().count(1.0) == n
