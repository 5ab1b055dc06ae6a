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


def hard_items(n=1_500, k=8, people=40, each=5, seed=0):
    """As `votes`, but a third of the items is hard, and wrong answers to them are often the same class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    hard = np.where(rng.random(n) < 0.33, rng.beta(1.2, 2.5, n), 0.0)
    look_alike = (truth + 1 + rng.integers(0, 2, n)) % k
    item = np.repeat(np.arange(n), each)
    who = np.concatenate([rng.choice(people, each, replace=False) for _ in range(n)])
    right = rng.random(len(item)) < rng.uniform(0.6, 0.98, people)[who] * (1 - hard[item])
    same = (rng.random(len(item)) < 0.6) & (hard[item] > 0)
    other = (truth[item] + rng.integers(1, k, len(item))) % k
    given = np.where(right, truth[item], np.where(same, look_alike[item], other))
    near = (1 - 0.7 * hard)[:, None] * np.eye(k)[truth] + 0.7 * hard[:, None] * np.eye(k)[look_alike]
    scores = rng.normal(size=(n, k)) + 3.0 * near
    return item, who, given, truth, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def expected_over_true(judged, truth):
    return (1 - judged.confidence).sum() / (judged.label != truth).sum()


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


@pytest.mark.parametrize("seed", [0, 1])
def test_the_expected_number_of_wrong_items_is_right_where_items_are_equally_hard(seed):
    item, who, given, truth, _, probs = votes(seed=seed)
    assert 0.8 < expected_over_true(consensus(item, who, given), truth) < 1.25
    assert 0.7 < expected_over_true(consensus(item, who, given, probs), truth) < 1.4


@pytest.mark.parametrize("seed", [0, 1])
def test_the_expected_number_of_wrong_items_is_near_where_everybody_errs_on_the_same_items(seed):
    item, who, given, truth, probs = hard_items(seed=seed)
    assert 0.6 < expected_over_true(consensus(item, who, given), truth) < 1.3
    assert 0.6 < expected_over_true(consensus(item, who, given, probs), truth) < 1.3


def test_an_overconfident_model_counts_as_much_as_the_answers_say():
    item, who, given, truth, probs = hard_items()
    sharp = probs**4 / (probs**4).sum(axis=1, keepdims=True)
    plain, joined = consensus(item, who, given, probs), consensus(item, who, given, sharp)
    assert joined.model_power == pytest.approx(plain.model_power / 4, rel=0.3)
    assert 0.6 < expected_over_true(joined, truth) < 1.3


def test_with_sixty_classes_rare_mistakes_do_not_confirm_themselves():
    item, who, given, truth, _ = hard_items(n=1_500, k=60, each=3)
    assert 0.6 < expected_over_true(consensus(item, who, given), truth) < 1.3


def test_fifty_people_who_agree_on_one_item_are_not_too_many():
    judged = consensus([0] * 60, list(range(60)), [0] * 50 + [1] * 10)
    assert (judged.label.tolist(), judged.confidence[0] > 0.99) == ([0], True)


def test_quality_is_the_share_of_right_answers_on_hard_items_too():
    item, who, given, truth, _ = hard_items(each=7)
    quality = np.array(list(consensus(item, who, given).annotator_quality.values()))
    share = np.bincount(who, given == truth[item]) / np.bincount(who)
    assert np.abs(quality - share).mean() < 0.03


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


def test_the_model_is_repeated_where_nobody_answered():
    nobody = np.zeros(0, np.int64)
    judged = consensus(nobody, nobody, nobody, [[0.2, 0.8], [0.6, 0.4]])
    assert judged.label.tolist() == [1, 0]
    assert judged.confidence.tolist() == pytest.approx([0.8, 0.6], abs=1e-6)


def test_the_order_of_items_does_not_matter():
    item, who, given, _, probs = hard_items(n=400)
    order = np.random.default_rng(1).permutation(len(item))
    plain, mixed = consensus(item, who, given, probs), consensus(item[order], who[order], given[order], probs)
    assert np.allclose(plain.confidence, mixed.confidence, atol=1e-6)


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
