"""The consensus of several annotators on each sample, its confidence, and the quality of each annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.answers.fit import Fit
from calotype.analysis.validation import probabilities, refuse, whole_numbers

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_AGAIN = 0.2
"""How much the model counts once more in the order of the confidences; between 0.1 and 0.3 makes little difference on
the worlds `tune` of `benchmarks/quality/consensus_calibration.py`."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """The judgement of N samples and their annotators.

    Attributes:
        label: (N,) int64; the likeliest class, -1 where there is neither a vote nor a model.
        confidence: (N,) float64 in [0, 1], the probability that the label is right: the sum of 1 - confidence is the
            expected number of wrong labels. Review low ones first.
        annotator_quality: Annotator -> the estimated share of right answers.
        posterior: (N, K) float64; probability of each class by votes and model.
        n_votes: (N,) int64.
        model_power: The power to which the model's probabilities were raised; 0 without a model, small for a weak or
            overconfident one.
    """

    label: Ints
    confidence: Floats
    annotator_quality: dict[int, float]
    posterior: Floats
    n_votes: Ints
    model_power: float


def consensus(
    item: npt.ArrayLike,
    annotator: npt.ArrayLike,
    label: npt.ArrayLike,
    pred_probs: npt.ArrayLike | None = None,
) -> Consensus:
    """Combine the answers of annotators, and those of a model if there is one.

    Args:
        item: (M,) which sample an answer is about, 0 to N - 1.
        annotator: (M,) who answered; any whole numbers.
        label: (M,) the class that they gave, 0 to K - 1.
        pred_probs: (N, K) a model's out-of-sample probabilities; they fix N and K. Without them K is the largest class
            plus 1, and N the largest item plus 1.
    Raises: InputsInvalid.
    Source: expectation maximisation as in A. Dawid and A. Skene, 1979, with one skill per annotator, mistakes shared
        by all, a beta prior on skills by moments, and a difficulty per item as in J. Whitehill et al., "Whose vote
        should count more", 2009, here from a short list. Wrong answers to a difficult item tend to be one look-alike
        class, for which the model falls too. No item is judged by what was learned about mistakes from itself.
    """
    items, people, given = _answers(item, annotator, label)
    model = None if pred_probs is None else probabilities(pred_probs, "pred_probs").astype(np.float64)
    n = len(model) if model is not None else int(items.max(initial=-1)) + 1
    k = model.shape[1] if model is not None else max(2, int(given.max(initial=0)) + 1)
    if len(items) and (int(items.max()) >= n or int(given.max()) >= k):
        detail = f"they reach item {int(items.max())} and class {int(given.max())}, pred_probs is {n} x {k}"
        raise refuse("item and label", detail, "give pred_probs one row per item and one column per class")
    names, who = np.unique(people, return_inverse=True)
    fit = Fit(items, who, given, n, k, model)
    posterior = fit.run()
    votes = np.bincount(items, minlength=n)
    best = posterior.argmax(axis=1) if n else np.zeros(0, np.int64)
    silent = (votes == 0) & (model is None)
    confidence = posterior[np.arange(n), best]
    if model is not None and len(items):
        confidence = _reordered(confidence, fit.model()[np.arange(n), best])
    quality = {int(name): float(share) for name, share in zip(names, fit.quality(), strict=True)}
    label_of = np.where(silent, -1, best).astype(np.int64)
    return Consensus(
        label_of, np.where(silent, 0.0, confidence), quality, posterior, votes, fit.estimates.power
    )


def _answers(item: npt.ArrayLike, annotator: npt.ArrayLike, label: npt.ArrayLike) -> tuple[Ints, Ints, Ints]:
    items = whole_numbers(item, "item")
    people = whole_numbers(annotator, "annotator", n=len(items))
    given = whole_numbers(label, "label", n=len(items))
    for name, values in (("item", items), ("label", given)):
        if len(values) and int(values.min()) < 0:
            raise refuse(name, f"it holds {int(values.min())}", "number items and classes from 0")
    return items, people, given


def _reordered(confidence: Floats, by_model: Floats) -> Floats:
    """(n,) confidences with the model counted a little more, all moved alike so that their sum stays the same."""
    odds = _log_odds(confidence, 12) + _AGAIN * _log_odds(by_model, 9)
    low, high = -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-odds - middle))).sum() < confidence.sum():
            low = middle
        else:
            high = middle
    return np.asarray(1 / (1 + np.exp(-odds - low)), np.float64)


def _log_odds(share: Floats, limit: float) -> Floats:
    return np.clip(np.log(np.maximum(share, 1e-12) / np.maximum(1 - share, 1e-12)), -limit, limit)
