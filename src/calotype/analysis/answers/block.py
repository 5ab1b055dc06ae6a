"""Answers to some of the items, and what they say about the true class under given estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEVELS: Floats = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
"""Difficulties of items: the share of right answers that is lost. The first is that of ordinary items."""
_LEAST = 1e-5
_MOST_TIMES = 40


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is believed about annotators, items and the model.

    Attributes:
        skills: (people,) share of right answers on ordinary items.
        mistakes: (K, K) row j: how often each class was answered instead of class j; 0 on the diagonal.
        levels: (groups, levels) share of each difficulty among items of which the model is about equally sure.
        misled: (levels,) how often the model, too, takes a difficult item for its look-alike; 0 for ordinary ones.
        shared: Probability that a wrong answer to a difficult item is its look-alike.
        power: The power to which the model's probabilities are raised.
        offset: (K,) added to their logarithms, so that classes are expected as often as they occur.
    """

    skills: Floats
    mistakes: Floats
    levels: Floats
    misled: Floats
    shared: float
    power: float
    offset: Floats


@dataclass(frozen=True, slots=True)
class Judged:
    """What the answers to n items say.

    Attributes:
        log_likelihood: (n,) of the answers.
        posterior: (n, K).
        levels: (n, levels) probability of each difficulty.
        right: (pairs, levels) joint probability that a pair's class is the true one, and of the difficulty.
        misled: (levels,) expected number of items that mislead the model.
    """

    log_likelihood: Floats
    posterior: Floats
    levels: Floats
    right: Floats
    misled: Floats


class Block:
    """Answers to n items; equal answers to one item are one pair of item and class.

    Args:
        item: (m,) 0 to n - 1.
        who: (m,) annotators.
        given: (m,) classes.
        n: Items.
        k: Classes.
        logs: (n, K) logarithms of the model's probabilities.
        group: (n,) row of `Estimates.levels`.
    """

    def __init__(
        self, item: Ints, who: Ints, given: Ints, n: int, k: int, logs: Floats | None, group: Ints
    ) -> None:
        self.item, self.who, self.n, self.k = item, who, n, k
        self.logs, self.group = logs, group
        pairs, pair, times = np.unique(item * k + given, return_inverse=True, return_counts=True)
        self.pair, self.times = pair, times[:, None]
        self.pair_item, self.pair_class = pairs // k, pairs % k
        self._answered, self._starts = np.unique(self.pair_item, return_index=True)
        self._pairs = np.arange(len(pairs))
        self._own: Floats | float = 0.0
        self._wrong = np.repeat(np.bincount(item, minlength=n)[:, None], k, axis=1)
        self._wrong[self.pair_item, self.pair_class] -= times

    def prior(self, estimates: Estimates) -> Floats:
        """(n, K) what the model says before any answer."""
        if self.logs is None:
            return np.repeat(softmax(estimates.offset[None, :]), self.n, axis=0)
        return softmax(self.logs * estimates.power + estimates.offset)

    def leave_out(self, judged: Judged) -> None:
        """Let no item be judged by what was learned about mistakes from itself."""
        own = judged.posterior[self.pair_item] * self.times
        own[self._pairs, self.pair_class] = 0
        self._own = own

    def judge(self, estimates: Estimates) -> Judged:
        """Posterior of the true class, of the difficulty, and of who was right."""
        by_class = self._by_class(estimates)
        scale = np.maximum.reduce([part.max(axis=1) for part in by_class])
        easy, *hard = (np.exp(part - scale[:, None]) for part in by_class)
        mute, spoken, top = self._by_level(estimates)
        misled = estimates.misled[1:] if len(hard) > 1 else np.zeros(len(LEVELS) - 1)
        shares = [1 - misled, misled][: len(hard)]
        at = self.pair_item, self.pair_class
        pair_hard = [part[at][:, None] * share for part, share in zip(hard, shares, strict=True)]
        right = spoken * np.column_stack([easy[at], sum(pair_hard)])
        for part in (easy, *hard):
            part[at] = 0.0
        posterior = mute[:, :1] * easy
        for part, share in zip(hard, shares, strict=True):
            posterior += (mute[:, 1:] @ share)[:, None] * part
        posterior[at] = right.sum(axis=1)
        total = np.maximum(posterior.sum(axis=1), 1e-300)
        rest = [part.sum(axis=1)[:, None] * share for part, share in zip(hard, shares, strict=True)]
        levels = mute * np.column_stack([easy.sum(axis=1), sum(rest)]) + self._by_item(right)
        confused = np.zeros(len(LEVELS))
        if len(hard) > 1:
            confused[1:] = (mute[:, 1:] * rest[1] / total[:, None]).sum(axis=0)
            confused[1:] += (spoken[:, 1:] * pair_hard[1] / total[self.pair_item, None]).sum(axis=0)
        return Judged(
            log_likelihood=np.log(total) + scale + top,
            posterior=posterior / total[:, None],
            levels=levels / total[:, None],
            right=right / total[self.pair_item, None],
            misled=confused,
        )

    def _by_item(self, of_pairs: Floats) -> Floats:
        """Sums of the rows of each item."""
        sums = np.zeros((self.n, of_pairs.shape[1]))
        if len(of_pairs):
            sums[self._answered] = np.add.reduceat(of_pairs, self._starts, axis=0)
        return sums

    def _by_level(self, estimates: Estimates) -> tuple[Floats, Floats, Floats]:
        """Likelihood that all are wrong (n, levels) or those of a pair right (pairs, levels); (n,) log of its unit."""
        share = np.clip(estimates.skills[self.who][:, None] * (1 - LEVELS), 1e-3, 0.998)
        wrong = np.log1p(-share)
        mute, gain = np.empty((self.n, len(LEVELS))), np.empty((len(self.times), len(LEVELS)))
        for level in range(len(LEVELS)):
            mute[:, level] = np.bincount(self.item, wrong[:, level], self.n)
            gain[:, level] = np.bincount(
                self.pair, np.log(share[:, level]) - wrong[:, level], len(self.times)
            )
        mute += np.log(estimates.levels)[self.group]
        spoken = mute[self.pair_item] + gain
        top = mute.max(axis=1)
        np.maximum.at(top, self.pair_item, spoken.max(axis=1))
        return np.exp(mute - top[:, None]), np.exp(spoken - top[self.pair_item, None]), top

    def _by_class(self, estimates: Estimates) -> list[Floats]:
        """Logarithms (n, K) of prior and of which wrong answers were given, for each true class.

        First for ordinary items, then for difficult ones, then, with a model, for those that mislead it: there the
        class that the model prefers is the look-alike.
        """
        at = self._pairs, self.pair_class
        counts = np.maximum(estimates.mistakes[:, self.pair_class].T - self._own, _LEAST)
        usual = np.maximum(counts / np.maximum(estimates.mistakes.sum(axis=1) - self._own, _LEAST), _LEAST)
        logs = np.log(usual) * self.times
        logs[at] = 0
        prior = self.prior(estimates)
        sure = self._by_item(logs)
        known = np.log(np.maximum(prior, 1e-300))
        odds = estimates.shared / (1 - estimates.shared)
        gain = (odds / usual + 1) ** np.minimum(self.times, _MOST_TIMES) - 1
        gain[at] = 0
        apart = sure + self._wrong * np.log1p(-estimates.shared)
        parts = [sure + known, apart + known + np.log1p(self._by_item(usual * gain))]
        if self.logs is not None:
            truth_of = estimates.mistakes / estimates.mistakes.sum(axis=1, keepdims=True)
            truth_of *= prior.mean(axis=0)[:, None]
            truth_of /= np.maximum(truth_of.sum(axis=0), 1e-12)
            drawn = prior[self.pair_item, self.pair_class][:, None] * truth_of[:, self.pair_class].T * gain
            swapped = prior @ truth_of.T + self._by_item(drawn)
            parts.append(apart + np.log(np.maximum(swapped, 1e-300)))
        return parts


def softmax(scores: Floats) -> Floats:
    """(n, K) scores as probabilities."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
