"""Several annotators: one label, how sure, and who is good."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.analysis.agreement import krippendorff_alpha, with_gold
from calotype.analysis.validation import InputsInvalid
from calotype.checks import consensus


def votes(n=2_000, k=5, people=30, each=3, seed=0):
    """Answers of people of different skill, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    skill = rng.uniform(0.4, 0.98, people)
    item = np.repeat(np.arange(n), each)
    who = np.concatenate([rng.choice(people, each, replace=False) for _ in range(n)])
    right = rng.random(len(item)) < skill[who]
    given = np.where(right, truth[item], rng.integers(0, k, len(item)))
    scores = rng.normal(size=(n, k)) + 2.0 * np.eye(k)[truth]
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return item, who, given, truth, skill, probs


def majority(item, given, n, k):
    counts = np.zeros((n, k))
    np.add.at(counts, (item, given), 1)
    return counts.argmax(axis=1)


def test_skill_beats_the_majority_and_a_model_helps_more():
    item, who, given, truth, _, probs = votes()
    plain = (majority(item, given, 2_000, 5) == truth).mean()
    alone = (consensus(item, who, given).label == truth).mean()
    joined = (consensus(item, who, given, probs).label == truth).mean()
    assert plain + 0.01 < alone < joined - 0.02


def test_low_confidence_is_where_the_consensus_is_wrong():
    item, who, given, truth, _, probs = votes()
    found = consensus(item, who, given, probs)
    wrong = found.label != truth
    assert found.confidence[wrong].mean() < found.confidence[~wrong].mean() - 0.2
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_quality_orders_people_by_their_skill():
    item, who, given, _, skill, _ = votes()
    quality = consensus(item, who * 7 + 100, given).annotator_quality
    measured = [quality[k * 7 + 100] for k in range(30)]
    assert np.corrcoef(measured, skill)[0, 1] > 0.95


def test_a_useless_model_is_not_believed():
    item, who, given, truth, _, _ = votes()
    noise = np.random.default_rng(3).dirichlet(np.ones(5), 2_000)
    alone, joined = consensus(item, who, given), consensus(item, who, given, noise)
    assert joined.model_power < 0.3
    assert (joined.label == truth).mean() > (alone.label == truth).mean() - 0.01


def test_an_item_without_votes_has_no_label_unless_a_model_knows_it():
    found = consensus([0, 2], [1, 1], [1, 0])
    assert (found.label.tolist(), found.confidence[1]) == ([1, -1, 0], 0.0)
    assert consensus([0], [1], [1], [[0.1, 0.9], [0.8, 0.2]]).label.tolist() == [1, 0]


@pytest.mark.parametrize(
    "item, label, words", [([-1], [0], "holds -1"), ([0], [-2], "holds -2"), ([5], [0], "reach item 5")]
)
def test_numbers_out_of_range_are_refused(item, label, words):
    with pytest.raises(InputsInvalid, match=words):
        consensus(item, [0], label, [[0.5, 0.5]] * 2)


def test_alpha_is_one_for_full_agreement_and_known_in_between():
    assert krippendorff_alpha([0, 0, 1, 1], [1, 1, 2, 2]) == 1.0
    assert krippendorff_alpha([0, 0, 1, 1], [1, 2, 1, 2]) == pytest.approx(-0.5)
    assert np.isnan(krippendorff_alpha([0, 1], [1, 1]))


def test_agreement_with_gold_counts_only_known_items():
    found = with_gold([0, 1, 2, 0], [7, 7, 7, 8], [1, 1, 1, 0], {0: 1, 1: 0})
    assert (found[7].n, found[7].n_right, found[8].share) == (2, 1, 0.0)
