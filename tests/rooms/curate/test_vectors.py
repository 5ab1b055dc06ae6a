"""Vectors that are put, and the samples that lie nearest."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.shops import make_shop

import calotype as ct
from calotype.curate import embedding, repository, vectors
from calotype.curate.model import VectorsInvalid, VectorsNotFound
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import SampleNotFound
from calotype.reliability import service as reliability
from calotype.versions import service as versions

MODEL = "clip: b/32"
DIM = 16


@pytest.fixture
def shop(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    return workspace


def state(shop, owner, name="shop"):
    return datasets.read(owner, name, store=shop)


def drawn(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)


def put(shop, owner, seed=0, name="shop"):
    ids = state(shop, owner, name).ids()
    vectors.put_vectors(owner, name, MODEL, ids, drawn(len(ids), seed), store=shop)
    return ids, drawn(len(ids), seed)


def find(shop, owner, to, k=25, name="shop", **options):
    return vectors.nearest(owner, name, MODEL, to, k, store=shop, **options).to_pylist()


def expected(ids, matrix, wanted):
    """Ids by 1 - cosine in double precision, and the distances."""
    a, b = matrix.astype(np.float64), np.asarray(wanted, np.float64)
    distances = 1 - a @ b / (np.linalg.norm(a, axis=1) * np.linalg.norm(b))
    order = np.argsort(distances, kind="stable")
    return [ids[at] for at in order], distances[order]


@pytest.mark.parametrize("from_disk", [False, True], ids=["in memory", "from disk"])
def test_the_nearest_are_those_of_the_arithmetic_in_double_precision(shop, owner, monkeypatch, from_disk):
    ids, matrix = put(shop, owner)
    if from_disk:
        monkeypatch.setattr(repository, "LARGE_CACHE_BYTES", 0)
    wanted = drawn(1, seed=9)[0] * 1e30  # lengths do not matter, and squares of it overflow
    found = find(shop, owner, wanted, k=7)
    first, distances = expected(ids, matrix, wanted)
    assert [row["sample_id"] for row in found] == first[:7]
    np.testing.assert_allclose([row["distance"] for row in found], distances[:7], atol=1e-6)
    assert len(find(shop, owner, wanted, k=10_000)) == len(ids)


def test_a_sample_is_not_its_own_neighbour_and_a_query_narrows(shop, owner):
    ids, _ = put(shop, owner)
    name = state(shop, owner).sample(ids[3]).name
    by_id = find(shop, owner, ids[3], k=len(ids))
    assert by_id == find(shop, owner, name, k=len(ids))
    assert {row["sample_id"] for row in by_id} == set(ids) - {ids[3]}
    where = "count(car) >= 1"
    narrowed = find(shop, owner, ids[3], k=len(ids), where=where)
    inside = set(state(shop, owner).ids(where))
    assert narrowed == [row for row in by_id if row["sample_id"] in inside]
    assert 0 < len(narrowed) < len(by_id)


def test_equally_near_samples_come_by_name_and_zeros_lie_at_one(shop, owner):
    ids = state(shop, owner).ids()
    matrix = np.ones((len(ids), DIM), np.float32)
    matrix[0] = 0
    vectors.put_vectors(owner, "shop", MODEL, ids[::-1], matrix[::-1], store=shop)
    found = find(shop, owner, np.ones(DIM), k=5)
    assert [row["sample_id"] for row in found] == ids[1:6]
    assert find(shop, owner, np.ones(DIM), k=len(ids))[-1] == {
        "sample_id": ids[0],
        "name": state(shop, owner).sample(ids[0]).name,
        "distance": 1.0,
    }


def test_commits_keep_their_vectors_and_a_merge_brings_them(shop, owner):
    ids, old = put(shop, owner)
    first = datasets.commit(owner, "shop", "vectors", store=shop)
    datasets.branch(owner, "shop", "other", store=shop)
    _, new = put(shop, owner, seed=1, name="shop@other+")
    datasets.commit(owner, "shop@other+", "other vectors", store=shop)
    wanted = drawn(1, seed=9)[0]
    before = [row["sample_id"] for row in find(shop, owner, wanted)]
    assert before == expected(ids, old, wanted)[0][:25]
    versions.merge(owner, "shop", "other", store=shop)
    after = expected(ids, new, wanted)[0][:25]
    assert [row["sample_id"] for row in find(shop, owner, wanted)] == after
    assert [row["sample_id"] for row in find(shop, owner, wanted, name=f"shop@{first.id}")] == before
    assert reliability.verify(owner, store=shop, deep=True).problems == ()


def test_removed_samples_are_not_found_and_come_back_with_their_vectors(shop, owner):
    ids, _ = put(shop, owner)
    datasets.commit(owner, "shop", "vectors", store=shop)
    before = find(shop, owner, np.ones(DIM), k=len(ids))
    datasets.apply(owner, "shop", Change(remove_samples=ids[:2]), store=shop)
    fewer = datasets.commit(owner, "shop", "fewer", store=shop)
    assert {row["sample_id"] for row in find(shop, owner, np.ones(DIM), k=len(ids))} == set(ids[2:])
    with pytest.raises(SampleNotFound):
        find(shop, owner, ids[0])
    versions.undo(owner, "shop", fewer.id, store=shop)
    assert find(shop, owner, np.ones(DIM), k=len(ids)) == before


def test_vectors_are_taken_away_from_samples_there_or_removed(shop, owner):
    ids, _ = put(shop, owner)
    vectors.put_vectors(owner, "shop", "second", ids, drawn(len(ids), 1), store=shop)
    datasets.apply(owner, "shop", Change(remove_samples=ids[:1]), store=shop)
    vectors.remove_vectors(owner, "shop", ids[:2], MODEL, store=shop)
    now = state(shop, owner)
    assert [repository.one_vector(shop, now, MODEL, one) for one in ids[:2]] == [None, None]
    assert repository.one_vector(shop, now, "second", ids[0]) is not None
    now = vectors.remove_vectors(owner, "shop", ids[:2], store=shop)
    assert repository.one_vector(shop, now, "second", ids[0]) is None
    with pytest.raises(VectorsNotFound):
        vectors.remove_vectors(owner, "shop", ids[:2], "third", store=shop)


def test_rows_of_absurd_size_keep_their_direction(shop, owner):
    ids, matrix = put(shop, owner)
    sizes = np.resize(np.asarray([1e30, 1e-30, 1.0], np.float32), len(ids))[:, None]
    vectors.put_vectors(owner, "shop", MODEL, ids, matrix * sizes, store=shop)
    found = find(shop, owner, drawn(1, seed=9)[0], k=9)
    first, distances = expected(ids, matrix, drawn(1, seed=9)[0])
    assert [row["sample_id"] for row in found] == first[:9]
    np.testing.assert_allclose([row["distance"] for row in found], distances[:9], atol=1e-6)


def test_putting_again_replaces_only_those_samples(shop, owner):
    ids, matrix = put(shop, owner)
    vectors.put_vectors(owner, "shop", MODEL, ids[:1], [[7.0] * DIM], store=shop)
    now = state(shop, owner)
    first, second = (repository.one_vector(shop, now, MODEL, one) for one in ids[:2])
    assert first is not None and first.tolist() == [7.0] * DIM
    assert second is not None and second.tolist() == matrix[1].tolist()
    assert len(find(shop, owner, np.ones(DIM), k=len(ids) * 2)) == len(ids)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda ids, m: (ids, np.where(np.arange(len(m))[:, None] == 2, np.nan, m)), "row 2"),
        (lambda ids, m: (ids, np.where(np.arange(len(m))[:, None] == 1, np.inf, m)), "row 1"),
        (lambda ids, m: (ids, m[0]), "not (N, D)"),
        (lambda ids, m: (ids, m[:, :0]), "not (N, D)"),
        (lambda ids, m: (ids[1:], m), "sample ids"),
        (lambda ids, m: ([*ids[:-1], "f" * 32], m), "has no sample"),
        (lambda ids, m: ([ids[1], *ids[1:]], m), "more than one"),
        (lambda ids, m: ([None, *ids[1:]], m), "row 0"),
        (lambda ids, m: (ids, m[:, 1:]), "have 16 numbers, these have 15"),
        (lambda ids, m: (ids, [["a"] * DIM] * len(ids)), "the vectors"),
    ],
)
def test_invalid_vectors_are_refused_and_nothing_is_written(shop, owner, spoil, said):
    ids, matrix = put(shop, owner)
    before = state(shop, owner).state_sha256
    bad_ids, bad = spoil(ids, matrix)
    with pytest.raises(VectorsInvalid) as refused:
        vectors.put_vectors(owner, "shop", MODEL, bad_ids, bad, store=shop)
    assert said in f"{refused.value.message} {refused.value.where}"
    assert state(shop, owner).state_sha256 == before


@pytest.mark.parametrize("to", [np.ones(DIM + 1), np.full(DIM, np.nan), ["a"] * DIM, np.ones((1, DIM))])
def test_a_wanted_vector_is_judged(shop, owner, to):
    put(shop, owner)
    with pytest.raises(VectorsInvalid):
        find(shop, owner, to)


def test_the_model_is_asked_for_when_there_are_none_or_several(shop, owner):
    with pytest.raises(VectorsNotFound):
        find(shop, owner, np.ones(DIM))
    ids, _ = put(shop, owner)
    assert len(vectors.nearest(owner, "shop", "", np.ones(DIM), 3, store=shop)) == 3
    vectors.put_vectors(owner, "shop", "second", ids[:1], [[1.0, 2.0]], store=shop)
    with pytest.raises(VectorsNotFound, match="not named") as refused:
        vectors.nearest(owner, "shop", "", np.ones(DIM), 3, store=shop)
    assert MODEL in refused.value.remedy
    with pytest.raises(VectorsInvalid):
        vectors.nearest(owner, "shop", "second", ids[1], 3, store=shop)


def test_the_handles_say_the_same(shop, owner):
    ids = state(shop, owner).ids()
    with ct.open(shop.root) as ws:
        ds = ws.dataset("shop")
        assert ds.put_vectors(MODEL, ids, drawn(len(ids))) == len(ids)
        found = ds.nearest(MODEL, ids[0], 3)
        assert found.column_names == ["sample_id", "name", "distance"]
        assert found.equals(ds.where().nearest(MODEL, ids[0], 3))
        assert len(ds.where("count(car) >= 1").nearest(MODEL, ids[0], 1_000)) < len(ids) - 1


def test_vectors_are_computed_once_for_each_sample(shop, owner):
    n = state(shop, owner).count()["samples"]
    first = embedding.embed(owner, "shop", "hog-colour-v1", store=shop)
    assert (first.model, first.made, first.known, first.failed) == ("hog-colour-v1", n, 0, ())
    gone = state(shop, owner).ids()[0]
    datasets.apply(owner, "shop", Change(remove_samples=[gone]), store=shop)
    again = embedding.embed(owner, "shop", "hog-colour-v1", store=shop)
    assert (again.made, again.known) == (0, n - 1)
    found = vectors.nearest(owner, "shop", "hog-colour-v1", state(shop, owner).ids()[0], 3, store=shop)
    assert found.num_rows == min(3, n - 2)
