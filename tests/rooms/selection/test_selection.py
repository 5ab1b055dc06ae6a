"""What `select` promises of every strategy, and what each one is for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.analysis.validation import InputsInvalid
from calotype.curate import select
from calotype.selection.clusters import neighbourhood_means
from calotype.selection.picks import shares
from calotype.selection.simulate import simulate

STRATEGIES = (
    "clusters",
    "coverage",
    "typical",
    "diverse",
    "uncertain",
    "disagreement",
    "rare",
    "balanced",
    "random",
)
N, K = 240, 4


def clusters(n=N, seed=0, spread=0.35, dim=16):
    """Vectors around four centres, and the centre of each."""
    rng = np.random.default_rng(seed)
    centre = rng.integers(0, K, n)
    vectors = np.eye(K, dim)[centre] + spread / np.sqrt(dim) * rng.standard_normal((n, dim))
    return vectors.astype(np.float32), centre


def known(n=N, seed=0):
    """Labels of the first twelve rows, and probabilities."""
    vectors, centre = clusters(n, seed)
    labels = np.where(np.arange(n) < 12, centre, -1)
    rng = np.random.default_rng(seed + 1)
    probs = rng.dirichlet(np.ones(K), n).astype(np.float32)
    return vectors, labels, probs


@pytest.mark.parametrize("by", [*STRATEGIES, "auto", "diversity"])
def test_picks_are_unlabelled_not_excluded_unique_and_explained(by):
    vectors, labels, probs = known()
    result = select(vectors, 25, by, labels=labels, probs=probs, exclude=np.arange(100, 150), seed=3)
    assert len(set(result.picked.tolist())) == 25
    assert not set(result.picked.tolist()) & {*range(12), *range(100, 150)}
    assert len(result.reasons) == len(result.scores) == 25
    assert all(result.reasons)
    assert np.isfinite(result.scores).all()


@pytest.mark.parametrize("by", STRATEGIES)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_rows_in_another_order_give_the_same_picks(by, seed):
    vectors, labels, probs = known()
    order = np.random.default_rng(seed).permutation(N)
    groups = np.arange(N) % 3
    first = select(vectors, 12, by, labels=labels, probs=probs, groups=groups)
    second = select(vectors[order], 12, by, labels=labels[order], probs=probs[order], groups=groups[order])
    assert order[second.picked].tolist() == first.picked.tolist()
    assert second.reasons == first.reasons


@pytest.mark.parametrize("by", STRATEGIES)
def test_copies_of_a_pick_or_of_a_labelled_row_are_never_picked(by):
    vectors, labels, probs = known()
    noise = np.random.default_rng(5).standard_normal(vectors.shape).astype(np.float32)
    twice = np.concatenate([vectors, vectors + 1e-3 * noise])
    result = select(
        twice, 150, by, labels=np.concatenate([labels, np.full(N, -1)]), probs=np.concatenate([probs, probs])
    )
    originals = (result.picked % N).tolist()
    assert len(originals) == len(set(originals)) == 150
    assert not set(originals) & set(range(12))


@pytest.mark.parametrize("by", ["clusters", "coverage", "typical", "diverse", "uncertain", "random"])
def test_each_group_keeps_its_share(by):
    vectors, _, probs = known()
    groups = np.where(np.arange(N) % 4 == 0, "night", "day")
    result = select(vectors, 40, by, probs=probs, groups=groups)
    assert np.unique(groups[result.picked], return_counts=True)[1].tolist() == [30, 10]


@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=8), n=st.integers(0, 60))
@settings(deadline=None)
def test_shares_add_up_and_no_group_gets_more_than_it_has(counts, n):
    groups = np.repeat(np.arange(len(counts)), counts)
    n = min(n, len(groups))
    given_to = shares(groups, n)
    assert given_to.sum() == n
    assert (given_to <= np.bincount(groups, minlength=len(given_to))).all()
    assert (given_to >= 0).all()


def test_more_than_there_are_gives_all():
    vectors, _ = clusters(30)
    assert sorted(select(vectors, 100, "random").picked.tolist()) == list(range(30))


@pytest.mark.parametrize("by", ["clusters", "coverage", "typical", "diverse", "random", "balanced"])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_rows_and_equal_rows_are_no_problem(by, n):
    assert len(select(np.eye(max(n, 1), 5)[:n], 2, by).picked) == min(n, 2)
    equal = select(np.ones((20, 5)), 4, by)
    assert (len(equal.picked), equal.copies) == (1, 19)


@pytest.mark.parametrize(
    "change",
    [
        {"vectors": np.full((4, 3), np.nan)},
        {"vectors": np.zeros(4)},
        {"by": "newest"},
        {"by": "uncertain"},
        {"by": "disagreement"},
        {"n": -1},
        {"n": 1.5},
        {"labels": [0, 1]},
        {"labels": [0, 1, -2, 0]},
        {"labels": [0, 5, -1, -1], "probs": np.full((4, 2), 0.5)},
        {"probs": np.full((4, 2), 0.9)},
        {"groups": ["a"]},
        {"exclude": [7]},
        {"exclude": [True]},
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused(change):
    arguments = {"vectors": np.eye(4), "n": 2, **change}
    with pytest.raises(InputsInvalid):
        select(**arguments)


def test_clusters_coverage_and_typical_reach_every_cluster_first_and_leave_outliers():
    vectors, centre = clusters()
    vectors[:5] = 10 * np.random.default_rng(1).standard_normal((5, 16))
    for by in ("clusters", "coverage", "typical"):
        picked = select(vectors, K, by).picked
        assert set(centre[picked].tolist()) == set(range(K))
        assert picked.min() >= 5


def test_diverse_never_takes_an_outlier():
    vectors, _ = clusters()
    vectors[:5] = 10 * np.random.default_rng(1).standard_normal((5, 16))
    assert select(vectors, 20, "diverse").picked.min() >= 5


def test_coverage_starts_where_no_label_is():
    vectors, centre = clusters()
    labels = np.where(centre == 2, -1, centre)
    labels[np.flatnonzero(centre != 2)[::4]] = -1
    assert centre[select(vectors, 1, "coverage", labels=labels).picked[0]] == 2


def test_uncertain_takes_what_the_model_is_torn_on():
    vectors, centre = clusters()
    probs = np.eye(K)[centre]
    torn = np.flatnonzero(centre == 1)[:30]
    probs[torn] = [0.5, 0.5, 0, 0]
    assert set(select(vectors, 10, "uncertain", probs=probs).picked.tolist()) <= set(torn.tolist())


def test_disagreement_of_models_and_of_annotators():
    vectors, centre = clusters()
    second = centre.copy()
    second[:15] = (second[:15] + 1) % K
    models = np.stack([np.eye(K)[centre], np.eye(K)[second]])
    assert select(vectors, 8, "disagreement", probs=models).picked.max() < 15
    votes = np.stack([centre, second], axis=1)
    assert select(vectors, 8, "disagreement", labels=votes).picked.max() < 15


def test_rare_asks_for_the_class_with_the_fewest_labels_and_balanced_for_all_alike():
    vectors, centre = clusters()
    labels = np.full(N, -1)
    for number, n in enumerate((20, 20, 20, 2)):
        labels[np.flatnonzero(centre == number)[:n]] = number
    assert set(centre[select(vectors, 10, "rare", labels=labels).picked].tolist()) == {3}
    even = select(vectors, 12, "balanced", labels=labels).picked
    assert np.bincount(centre[even], minlength=K).tolist() == [3, 3, 3, 3]


def test_auto_takes_clusters_first_and_asks_the_model_once_it_has_labels():
    vectors, centre = clusters()
    probs = np.full((N, K), 0.25)
    assert select(vectors, 5).by == "clusters"
    assert select(vectors, 5, probs=probs).by == "clusters"
    assert select(vectors, 100).by == "clusters"
    assert select(vectors, 101).by == "typical"
    labels = np.where(np.arange(N) < 40, centre, -1)
    assert select(vectors, 5, probs=probs, labels=labels).by == "uncertain"


def test_the_replay_finds_more_with_coverage_than_at_random():
    rng = np.random.default_rng(0)
    centre = np.repeat(np.arange(10), [300, *[30] * 9])
    vectors = np.eye(10, 16)[centre] + 0.1 * rng.standard_normal((len(centre), 16))
    curve = simulate(vectors, centre, 12, strategies=["coverage"], repeats=3)
    assert curve.accuracy["coverage"][-1] > curve.accuracy["random"][-1] + 0.02
    with pytest.raises(InputsInvalid):
        simulate(vectors, np.zeros(len(vectors)), 12)


@pytest.mark.parametrize("unlabelled", ["", None, -1], ids=repr)
@pytest.mark.parametrize("by", ["coverage", "uncertain", "rare", "balanced"])
def test_class_names_are_accepted_in_place_of_numbers(by, unlabelled):
    vectors, labels, probs = known()
    names = [unlabelled if label < 0 else ("ant", "bee", "cat", "dog")[label] for label in labels.tolist()]
    numbered = select(vectors, 12, by, labels=labels, probs=probs)
    named = select(vectors, 12, by, labels=names, probs=probs)
    assert named.picked.tolist() == numbered.picked.tolist()
    assert any("bee" in reason for reason in named.reasons) == (by in ("rare", "balanced"))


def test_names_that_do_not_say_which_column_they_are_are_refused():
    names = ["cat", "dog", "", ""]
    with pytest.raises(InputsInvalid) as refused:
        select(np.eye(4), 2, "uncertain", labels=names, probs=np.full((4, 3), 1 / 3))
    assert "labels name 2 classes" in str(refused.value)
    assert select(np.eye(4), 2, "uncertain", labels=names, probs=np.full((4, 2), 0.5)).by == "uncertain"


def test_the_mean_of_a_neighbourhood_lies_nearer_to_the_centre_of_its_cluster():
    vectors, centre = clusters()
    points = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    means = neighbourhood_means(points, 10)
    middles = np.stack([points[centre == number].mean(axis=0) for number in range(K)])[centre]
    assert np.linalg.norm(means, axis=1) == pytest.approx(np.ones(N), abs=1e-5)
    assert (
        np.linalg.norm(means - middles, axis=1).mean() < 0.6 * np.linalg.norm(points - middles, axis=1).mean()
    )


def test_clusters_starts_where_no_label_is():
    vectors, centre = clusters()
    labels = np.where(centre == 2, -1, centre)
    labels[np.flatnonzero(centre != 2)[::4]] = -1
    assert set(centre[select(vectors, 3, "clusters", labels=labels).picked].tolist()) == {2}


def test_the_replay_accepts_class_names():
    vectors, centre = clusters()
    names = np.array(["ant", "bee", "cat", "dog"])[centre]
    named, numbered = (simulate(vectors, labels, 8, ["clusters"], repeats=1) for labels in (names, centre))
    assert named == numbered
