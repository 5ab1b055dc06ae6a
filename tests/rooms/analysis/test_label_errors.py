"""Wrong classes: ranked, counted, and cut without a threshold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from calotype.analysis.label_errors import best_f1_count
from calotype.analysis.validation import InputsInvalid
from calotype.checks import label_errors, label_errors_from_embeddings


def noisy(n=4_000, k=4, rate=0.1, sure=4.0, seed=0):
    """Labels with errors, the truth, and the probabilities of a model that is right more often than not."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    wrong = rng.random(n) < rate
    given = np.where(wrong, (truth + rng.integers(1, k, n)) % k, truth)
    scores = rng.normal(size=(n, k)) + sure * np.eye(k)[truth]
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return given, truth, probs * (1 - rate) + rate / k


def f1(flagged, wrong):
    return 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum())


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.4])
def test_the_flagged_set_is_nearly_the_wrong_one(rate):
    given, truth, probs = noisy(rate=rate)
    found = label_errors(given, probs)
    wrong = given != truth
    assert f1(found.flagged, wrong) > 0.88
    low, high = found.n_errors_interval
    assert low <= wrong.sum() <= high
    assert low <= found.n_errors <= high


def test_a_weak_model_of_much_noise_does_not_make_everything_suspect():
    given, truth, probs = noisy(rate=0.4, sure=2.0)
    assert f1(label_errors(given, probs).flagged, given != truth) > 0.85


def test_a_flagged_label_comes_with_another_class():
    given, truth, probs = noisy()
    found = label_errors(given, probs)
    assert (found.suggested[found.flagged] != given[found.flagged]).all()
    assert (found.suggested[found.flagged] == truth[found.flagged]).mean() > 0.85


def test_over_and_underconfident_probabilities_give_the_same_answer():
    given, _, probs = noisy()
    bold, shy = (probs**power / (probs**power).sum(axis=1, keepdims=True) for power in (3, 0.4))
    flagged = [label_errors(given, one).flagged for one in (probs, bold, shy)]
    assert (flagged[0] == flagged[1]).mean() > 0.995
    assert (flagged[0] == flagged[2]).mean() > 0.995


def test_clean_labels_of_a_good_model_are_hardly_flagged():
    given, _, probs = noisy(rate=0.0, sure=8.0)
    assert label_errors(given, probs).flagged.mean() < 0.005


def test_wrong_labels_are_found_from_vectors_alone_whatever_the_ids():
    rng = np.random.default_rng(1)
    truth = rng.choice([3, 70, 500], 900)
    centres = {3: 0, 70: 1, 500: 2}
    vectors = rng.normal(size=(900, 32)) + 4 * np.eye(32)[[centres[t] for t in truth.tolist()]]
    given = truth.copy()
    given[:45] = np.where(truth[:45] == 3, 70, 3)
    found = label_errors_from_embeddings(given, vectors.astype(np.float16))
    wrong = given != truth
    assert f1(found.flagged, wrong) > 0.85
    both = wrong & found.flagged
    assert (found.suggested[both] == truth[both]).mean() > 0.95


def test_nothing_and_one_class_are_calm():
    assert label_errors(np.zeros(0, int), np.zeros((0, 3))).n_errors == 0
    assert not label_errors_from_embeddings([7] * 5, np.eye(5)).flagged.any()


@pytest.mark.parametrize(
    "labels, probs, words",
    [
        ([0, 1], [[0.5, 0.5]], "2 rows, not 1"),
        ([0, 2], [[0.5, 0.5]] * 2, "0 to 2"),
        ([0], [[0.5, 0.9]], "adds up to 1.4"),
        ([0], [[np.nan, 1.0]], "NaN"),
        ([0.5], [[0.5, 0.5]], "whole numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_the_reason(labels, probs, words):
    with pytest.raises(InputsInvalid, match=words):
        label_errors(labels, probs)


def test_the_best_cut_takes_what_is_more_likely_than_half_the_best_f1():
    assert best_f1_count(np.asarray([0.9, 0.9, 0.1, 0.1])) == 2
    assert best_f1_count(np.asarray([0.2, 0.1])) == 0


@pytest.mark.parametrize("k", [2, 10])
def test_a_model_that_knows_nothing_judges_nothing_and_says_why(k):
    rng = np.random.default_rng(0)
    found = label_errors(rng.integers(0, k, 3_000), rng.dirichlet(np.ones(k), 3_000))
    assert not found.reliable and not found.flagged.any()
    assert "by chance" in found.why


def test_a_model_that_is_wrong_more_often_than_the_labels_flags_nothing():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 10, 4_000)
    sure = rng.choice([0.2, 0.6, 1.2, 3.5], 4_000)[:, None]
    scores = rng.normal(size=(4_000, 10)) + sure * np.eye(10)[truth]
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    given = np.where(rng.random(4_000) < 0.01, (truth + 1) % 10, truth)
    found = label_errors(given, probs)
    assert not found.reliable and not found.flagged.any()
    assert "surest" in found.why


@pytest.mark.parametrize("rate, sure", [(0.05, 5.0), (0.1, 4.0), (0.2, 3.0), (0.3, 5.0)])
def test_never_worse_than_self_confidence_or_the_rule_of_the_likeliest_class(rate, sure):
    given, truth, probs = noisy(k=10, rate=rate, sure=sure, seed=5)
    found, wrong = label_errors(given, probs), given != truth
    own = probs[np.arange(len(given)), given]
    assert average_precision_score(wrong, found.score) > average_precision_score(wrong, -own) - 0.005
    assert f1(found.flagged, wrong) > f1(probs.argmax(axis=1) != given, wrong) - 0.005
    low, high = found.n_errors_interval
    assert low <= wrong.sum() <= high and high - low < 1.3 * wrong.sum()
    assert found.reliable and found.why == ""


def test_labels_may_be_strings():
    given, _, probs = noisy()
    names = np.asarray(["ant", "bee", "cat", "dog"])
    numbers, words = label_errors(given, probs), label_errors(names[given], probs)
    assert (words.flagged == numbers.flagged).all()
    assert (words.suggested == names[numbers.suggested]).all()
    with pytest.raises(InputsInvalid, match="4 different names"):
        label_errors(names[given], np.full((len(given), 5), 0.2))
