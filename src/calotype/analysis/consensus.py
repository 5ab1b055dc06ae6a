"""The consensus of several annotators on each sample, its confidence, and the quality of each annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import probabilities, refuse, whole_numbers

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
N_STEPS = 25
_POWERS = np.exp(np.linspace(-3.0, 1.4, 45))
_PSEUDO = 20.0
"""Prior number of mistakes of each class, spread evenly."""
_AGAIN = 0.4
"""How much the model counts once more in the confidence: annotators of one hard image make mistakes together, so that
votes count less than their number. Found on simulated votes; between 0.3 and 0.6 makes little difference."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """The judgement of N samples and their annotators.

    Attributes:
        label: (N,) int64; the likeliest class, -1 where there is neither a vote nor a model.
        confidence: (N,) float64 in [0, 1], how far the label can be trusted; review low ones first.
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
        by all, a beta prior on skills by moments, and the model as one more voice whose weight the votes decide.
    """
    items, people, given = _answers(item, annotator, label)
    model = None if pred_probs is None else probabilities(pred_probs, "pred_probs").astype(np.float64)
    n = len(model) if model is not None else int(items.max(initial=-1)) + 1
    k = model.shape[1] if model is not None else max(2, int(given.max(initial=0)) + 1)
    if len(items) and (int(items.max()) >= n or int(given.max()) >= k):
        detail = f"they reach item {int(items.max())} and class {int(given.max())}, pred_probs is {n} x {k}"
        raise refuse("item and label", detail, "give pred_probs one row per item and one column per class")
    names, who = np.unique(people, return_inverse=True)
    joint = _Joint(items, who, given, n, k, len(names), model)
    posterior, skills = joint.fitted()
    votes = np.bincount(items, minlength=n)
    best = posterior.argmax(axis=1) if n else np.zeros(0, np.int64)
    silent = (votes == 0) & (model is None)
    confidence = joint.confidence(posterior, best)
    quality = {int(name): float(skill) for name, skill in zip(names, skills, strict=True)}
    label_of = np.where(silent, -1, best).astype(np.int64)
    return Consensus(label_of, np.where(silent, 0.0, confidence), quality, posterior, votes, joint.power)


def _answers(item: npt.ArrayLike, annotator: npt.ArrayLike, label: npt.ArrayLike) -> tuple[Ints, Ints, Ints]:
    items = whole_numbers(item, "item")
    people = whole_numbers(annotator, "annotator", n=len(items))
    given = whole_numbers(label, "label", n=len(items))
    for name, values in (("item", items), ("label", given)):
        if len(values) and int(values.min()) < 0:
            raise refuse(name, f"it holds {int(values.min())}", "number items and classes from 0")
    return items, people, given


class _Joint:
    """The votes and the model's voice, and the estimates at one step."""

    def __init__(
        self, items: Ints, who: Ints, given: Ints, n: int, k: int, n_people: int, model: Floats | None
    ) -> None:
        self.items, self.who, self.given = items, who, given
        self.n, self.k, self.n_people = n, k, n_people
        self.logs = None if model is None else np.log(np.maximum(model, 1e-6))
        self.power = 0.0 if model is None else 1.0
        self.offset = np.zeros(k)
        self.answers = np.bincount(who, minlength=n_people)

    def fitted(self) -> tuple[Floats, Floats]:
        """(N, K) posterior and (people,) skills."""
        posterior = np.full((self.n, self.k), 1 / self.k) if self.logs is None else np.exp(self.logs)
        np.add.at(posterior, (self.items, self.given), 1.0)
        posterior /= np.maximum(posterior.sum(axis=1, keepdims=True), 1e-12)
        skills = np.full(self.n_people, 0.5)
        for step in range(N_STEPS if len(self.items) else 1):
            skills = self._skills(posterior)
            likelihood = self._likelihood(skills, self._mistakes(posterior))
            if self.logs is not None and step % 3 == 0 and len(self.items):
                self.power = self._best_power(likelihood)
            prior = self._prior(self.power)
            posterior = _softmax(prior + likelihood)
            expected = np.exp(prior).mean(axis=0) if self.n else np.ones(self.k)
            share = posterior.mean(axis=0) if self.n else np.ones(self.k)
            self.offset += 0.7 * np.log((share + 1e-4) / (expected + 1e-4))
        return posterior, skills

    def confidence(self, posterior: Floats, best: Ints) -> Floats:
        """(N,) of the likeliest class; the model, if any, counts a little more than in the posterior."""
        rows = np.arange(self.n)
        odds = _log_odds(posterior[rows, best], 12)
        if self.logs is not None:
            odds = odds + _AGAIN * _log_odds(np.exp(self._prior(self.power))[rows, best], 9)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float64)

    def _skills(self, posterior: Floats) -> Floats:
        right = posterior[self.items, self.given]
        mean = float(right.mean()) if len(right) else 0.5
        hits = np.bincount(self.who, right, self.n_people)
        raw = (hits + 1) / (self.answers + 2)
        weights = np.maximum(self.answers, 1e-9)
        noise = (
            np.average(mean * (1 - mean) / np.maximum(self.answers, 1), weights=weights) if len(raw) else 0
        )
        spread = np.average((raw - mean) ** 2, weights=weights) - noise if len(raw) else 1
        strength = float(np.clip(mean * (1 - mean) / max(spread, 1e-4) - 1, 2, 200))
        return np.clip((hits + strength * mean) / (self.answers + strength), 0.02, 0.995)

    def _mistakes(self, posterior: Floats) -> Floats:
        """(K, K) row j: what is answered instead of class j, by those who are wrong."""
        mistakes = np.empty((self.k, self.k))
        posterior_of = posterior[self.items]
        for true in range(self.k):
            mistakes[true] = np.bincount(self.given, posterior_of[:, true], self.k)
        mistakes += _PSEUDO / (self.k - 1)
        np.fill_diagonal(mistakes, 0)
        return np.asarray(mistakes / mistakes.sum(axis=1, keepdims=True))

    def _likelihood(self, skills: Floats, mistakes: Floats) -> Floats:
        """(N, K) log-likelihood of the answers for each true class."""
        likelihood = np.empty((self.n, self.k))
        right, wrong = np.log(skills)[self.who], np.log1p(-skills)[self.who]
        logs = np.log(np.maximum(mistakes, 1e-9))
        for true in range(self.k):
            each = np.where(self.given == true, right, wrong + logs[true, self.given])
            likelihood[:, true] = np.bincount(self.items, each, self.n)
        return likelihood

    def _prior(self, power: float) -> Floats:
        logs = np.zeros((self.n, self.k)) if self.logs is None else self.logs * power
        return np.log(np.maximum(_softmax(logs + self.offset), 1e-300))

    def _best_power(self, likelihood: Floats) -> float:
        """The power of the model's probabilities under which the answers are likeliest."""
        step = max(1, self.n // 50_000)
        logs, seen = (self.logs[::step] if self.logs is not None else likelihood), likelihood[::step]

        def fit(power: float) -> float:
            scores = logs * power + self.offset
            return float((_log_sum(scores + seen) - _log_sum(scores)).sum())

        return float(max(_POWERS, key=fit))


def _softmax(scores: Floats) -> Floats:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf)) if scores.size else scores
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True)) if scores.size else scores


def _log_sum(scores: Floats) -> Floats:
    top = scores.max(axis=1)
    return np.asarray(top + np.log(np.exp(scores - top[:, None]).sum(axis=1)))


def _log_odds(share: Floats, limit: float) -> Floats:
    return np.clip(np.log(np.maximum(share, 1e-12) / np.maximum(1 - share, 1e-12)), -limit, limit)
