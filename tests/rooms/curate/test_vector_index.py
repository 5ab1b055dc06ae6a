"""Searching many vectors by an index: as good as looking at all, and never of what is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calotype.curate import repository, searching, vectors
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.reliability import service as reliability
from calotype.store.maintenance import vector_index

MODEL, DIM = "clip", 16


def samples(n):
    return [
        Sample(f"{at:032x}", f"{at:064x}", f"{at:05d}.jpg", 64, 48, "image/jpeg", 1, licence=f"L{at % 4}")
        for at in range(n)
    ]


def clustered(n, seed=0, dim=DIM, clusters=200):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(clusters, dim))
    drawn = centres[rng.integers(0, clusters, n)] + 0.5 * rng.normal(size=(n, dim))
    return drawn.astype(np.float32)


def fill(store, owner, n, dim=DIM):
    """Dataset `crowd` of `n` samples with a vector each."""
    datasets.create(owner, "crowd", store=store)
    datasets.apply(owner, "crowd", Change(put_samples=rows.samples_to_arrow(samples(n))), store=store)
    return put(store, owner, range(n), clustered(n, dim=dim))


def put(store, owner, places, matrix):
    ids = [f"{at:032x}" for at in places]
    vectors.put_vectors(owner, "crowd", MODEL, ids, matrix, store=store)
    return ids, matrix


@pytest.fixture
def low(monkeypatch):
    """Limits for small tables."""
    monkeypatch.setattr(vector_index, "MIN_ROWS", 1_000)
    monkeypatch.setattr(vector_index, "MAX_UNINDEXED_ROWS", 100)


@pytest.fixture
def crowd(workspace, owner, low):
    fill(workspace, owner, 2_000)
    return workspace


def find(store, owner, to, k=10, name="crowd", **options):
    found = vectors.nearest(owner, name, MODEL, to, k, store=store, **options)
    return list(zip(found["sample_id"].to_pylist(), found["distance"].to_pylist(), strict=True))


def indexed(store, owner, name="crowd"):
    """Rows that the index covers."""
    state = datasets.read(owner, name, store=store)
    return vector_index.n_indexed_rows(store.tables, *repository.table_and_pin(state, MODEL), rows.VECTOR)


@pytest.fixture
def only_by_index(monkeypatch):
    """Looking at all vectors fails the test."""
    refuse_all(monkeypatch)


def refuse_all(monkeypatch):
    def refuse(*args, **named):
        raise AssertionError("all vectors were looked at")

    monkeypatch.setattr(searching, "_search_all", refuse)


@pytest.mark.slow
def test_more_than_20_000_vectors_are_found_by_an_index(workspace, owner):
    fill(workspace, owner, 20_001, dim=32)
    assert indexed(workspace, owner) == 20_001
    wanted = clustered(40, seed=7, dim=32)
    exact = [find(workspace, owner, one, exact=True) for one in wanted]
    by_index = [find(workspace, owner, one) for one in wanted]
    shared = sum(len(set(a) & set(b)) for a, b in zip(exact, by_index, strict=True))  # distances too
    assert shared >= 0.95 * 400


def test_20_000_vectors_need_none(workspace, owner, low):
    fill(workspace, owner, 1_000)
    assert indexed(workspace, owner) == 0
    datasets.apply(owner, "crowd", Change(put_samples=samples(1_001)[1_000:]), store=workspace)
    put(workspace, owner, [1_000], clustered(1))
    assert indexed(workspace, owner) == 1_001


def test_an_index_changes_no_state_and_later_versions_inherit_it(crowd, owner, only_by_index):
    first = datasets.commit(owner, "crowd", "vectors", store=crowd)
    reliability.gc(owner, store=crowd, always_compact=True)
    with pytest.raises(datasets.NothingToCommit):
        datasets.commit(owner, "crowd", "again", store=crowd)
    put(crowd, owner, range(50), clustered(50, seed=1))
    assert indexed(crowd, owner) == 1_950
    assert indexed(crowd, owner, f"crowd@{first.id}") == 2_000


def test_new_vectors_are_found_before_the_index_knows_them_and_old_ones_are_not(crowd, owner, only_by_index):
    old = clustered(2_000)[7]
    new = -clustered(3, seed=5)
    assert find(crowd, owner, old, k=1)[0][0] == f"{7:032x}"
    put(crowd, owner, [7, 8, 9], new)
    assert indexed(crowd, owner) == 1_997
    assert find(crowd, owner, new[0], k=1) == [(f"{7:032x}", pytest.approx(0, abs=1e-6))]
    assert f"{7:032x}" not in dict(find(crowd, owner, old))


def test_many_new_vectors_get_their_own_segment_and_many_segments_become_one(crowd, owner, only_by_index):
    for at in range(5):
        new = clustered(150, seed=at + 1)
        put(crowd, owner, range(at * 150, at * 150 + 150), new)
        assert indexed(crowd, owner) == 2_000
        assert find(crowd, owner, new[0], k=1)[0][0] == f"{at * 150:032x}"
    state = datasets.read(owner, "crowd", store=crowd)
    held = crowd.tables.at(*repository.table_and_pin(state, MODEL)).describe_indices()
    assert [len(one.segments) for one in held] == [2]


def test_commits_are_searched_as_they_were(crowd, owner, only_by_index):
    first = datasets.commit(owner, "crowd", "vectors", store=crowd)
    wanted = clustered(1, seed=3)[0]
    before = find(crowd, owner, wanted)
    gone = [before[0][0], before[1][0]]
    datasets.apply(owner, "crowd", Change(remove_samples=gone), store=crowd)
    after = find(crowd, owner, wanted)
    assert after[:8] == before[2:]
    assert len(after) == 10
    assert find(crowd, owner, wanted, name=f"crowd@{first.id}") == before


@pytest.mark.parametrize("alone", [2_048, 0], ids=["read alone", "sifted"])
def test_a_query_narrows(crowd, owner, monkeypatch, alone):
    wanted, where = clustered(1, seed=3)[0], 'licence = "L1"'
    exact = find(crowd, owner, wanted, where=where, exact=True)
    assert {int(one, 16) % 4 for one, _ in exact} == {1}
    monkeypatch.setattr(searching, "_MAX_READ_DIRECTLY", alone)
    refuse_all(monkeypatch)
    assert find(crowd, owner, wanted, where=where) == exact


@pytest.mark.parametrize(
    ("alone", "max_filter"),
    [(2_048, 20_000), (0, 20_000), (0, 0)],
    ids=["read alone", "passed to the index", "full scan"],
)
def test_a_query_that_leaves_only_far_ones_gives_those(crowd, owner, monkeypatch, alone, max_filter):
    monkeypatch.setattr(searching, "_MAX_READ_DIRECTLY", alone)
    monkeypatch.setattr(searching, "_MAX_INDEX_FILTER", max_filter)
    wanted = clustered(2_000)[0]
    far = [one for one, _ in find(crowd, owner, wanted, k=2_000, exact=True)[-12:]]
    state = datasets.read(owner, "crowd", store=crowd)
    put_apart = [replace(one, licence="far") for one in state.iter_samples(ids=far)]
    datasets.apply(owner, "crowd", Change(put_samples=put_apart), store=crowd)
    assert [one for one, _ in find(crowd, owner, wanted, k=5, where='licence = "far"')] == far[:5]


def test_equally_near_ones_come_by_name_however_many(crowd, owner):
    put(crowd, owner, range(300, 100, -1), np.ones((200, DIM), np.float32))
    names = [f"{at:032x}" for at in range(101, 111)]
    assert [one for one, _ in find(crowd, owner, np.ones(DIM))] == names
    assert find(crowd, owner, np.ones(DIM)) == find(crowd, owner, np.ones(DIM), exact=True)
    assert [one for one, _ in find(crowd, owner, f"{101:032x}", k=3)] == names[1:4]


def test_vectors_of_zeros_lie_at_one_although_no_index_holds_them(crowd, owner):
    wanted = np.eye(DIM, dtype=np.float32)[0]
    matrix = -np.abs(clustered(2_000))
    matrix[5] = 0
    put(crowd, owner, range(2_000), matrix)
    assert find(crowd, owner, wanted, k=1) == [(f"{5:032x}", 1.0)]


def test_lengths_that_eight_does_not_divide_are_indexed_too(workspace, owner, low, only_by_index):
    _, matrix = fill(workspace, owner, 1_200, dim=21)
    assert indexed(workspace, owner) == 1_200
    assert find(workspace, owner, matrix[4], k=1)[0][0] == f"{4:032x}"


def test_a_compaction_keeps_what_is_found(crowd, owner, only_by_index):
    put(crowd, owner, range(0, 2_000, 30), clustered(67, seed=1))
    wanted = clustered(1, seed=3)[0]
    before = find(crowd, owner, wanted)
    reliability.gc(owner, store=crowd, grace_s=0, always_compact=True)
    assert indexed(crowd, owner) == 2_000
    assert find(crowd, owner, wanted) == before


def test_gc_builds_a_missing_index(workspace, owner, monkeypatch):
    fill(workspace, owner, 1_200)
    assert indexed(workspace, owner) == 0
    monkeypatch.setattr(vector_index, "MIN_ROWS", 1_000)
    reliability.gc(owner, store=workspace)
    assert indexed(workspace, owner) == 1_200


def test_removed_vectors_leave_no_data(crowd, owner, only_by_index):
    secret = (np.arange(DIM) + 1_234.5).astype(np.float32)
    put(crowd, owner, [77], secret[None])
    put(crowd, owner, range(200, 400), clustered(200, seed=2))  # its part of the index holds it
    assert find(crowd, owner, secret, k=1)[0][0] == f"{77:032x}"
    datasets.apply(owner, "crowd", Change(remove_samples=[f"{77:032x}"]), store=crowd)
    assert holding(crowd, secret)
    vectors.remove_vectors(owner, "crowd", [f"{77:032x}"], store=crowd)
    for _ in range(2):
        reliability.gc(owner, store=crowd, grace_s=0, always_compact=True)
    assert holding(crowd, secret) == []
    assert (indexed(crowd, owner), in_index(crowd, owner)) == (1_999, 1_999)
    assert f"{77:032x}" not in dict(find(crowd, owner, secret))


def holding(store, vector):
    """Files of tables that hold a vector's bytes."""
    needle = vector.tobytes()
    files = (path for path in store.root.rglob("*") if path.is_file())
    return [path.name for path in files if needle in path.read_bytes()]


def in_index(store, owner):
    """Codes that the files of the index hold, those of removed rows too."""
    state = datasets.read(owner, "crowd", store=store)
    table = store.tables.at(*repository.table_and_pin(state, MODEL))
    parts = table.stats.index_stats(f"nearest-{rows.VECTOR}")["indices"]
    return sum(cell["size"] for part in parts for cell in part["partitions"])
