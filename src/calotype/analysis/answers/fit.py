"""Skills, confusions and difficulties under which the answers of annotators are likeliest.

What three answers an item cannot say, priors do: how much harder the harder items are, and how far a model falls for
the same look-alikes as people. Their constants were chosen on the worlds `tune` of
`benchmarks/quality/consensus_calibration.py`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calotype.analysis.answers.block import LEVELS, Block, Estimates, Floats, Ints, Judged

N_STEPS = 24
_ITEMS = 4_000
"""Items of a block; the first block also decides what is found by trying."""
_EVERY = 3
_GROUPS = 4
_PSEUDO = 1.0
"""Prior number of mistakes of each class for each other."""
_DIFFICULT, _DIFFICULT_ITEMS = 0.2, 20.0
"""Prior share of difficult items, and how many items it counts as."""
_SHAPES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
_SHAPE, _SHAPE_ITEMS = 1.25, 100.0
"""Shares of the difficulties fall as (1 - difficulty) to this power; and how many difficult items that counts as."""
_MISLED_ITEMS = 5.0
_SHARED = (0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
_POWERS = (0.6, 0.77, 0.9, 1.0, 1.11, 1.3, 1.7)


class Fit:
    """The estimates, and the posterior of N items and K classes under them.

    Args:
        item: (M,) 0 to N - 1.
        who: (M,) 0 to people - 1.
        given: (M,) 0 to K - 1.
        n: N.
        k: K.
        model: (N, K) probabilities, or None.
    """

    def __init__(self, item: Ints, who: Ints, given: Ints, n: int, k: int, model: Floats | None) -> None:
        self.n, self.k, self.answers = n, k, np.bincount(who)
        logs = None if model is None else np.log(np.maximum(model, _LEAST))
        group = _groups(model, n)
        n_blocks = max(1, -(-n // _ITEMS))
        self.blocks = []
        for first in range(n_blocks):
            chosen = item % n_blocks == first
            part = slice(first, None, n_blocks)
            size = len(range(first, n, n_blocks))
            own = None if logs is None else logs[part]
            block = Block(item[chosen] // n_blocks, who[chosen], given[chosen], size, k, own, group[part])
            self.blocks.append(block)
        misled = LEVELS**2 / (LEVELS**2 + (1 - LEVELS) ** 2)
        shares = np.append(1 - _DIFFICULT, _DIFFICULT * _shares(_SHAPE))
        self.estimates = Estimates(
            skills=np.full(len(self.answers), 0.7),
            mistakes=_PSEUDO * (1 - np.eye(k)),
            levels=np.tile(shares, (int(group.max(initial=0)) + 1, 1)),
            misled=misled,
            shared=0.5,
            power=0.0 if model is None else 1.0,
            offset=np.zeros(k),
        )
        self.prior_misled = misled
        self.ease = np.ones(len(self.answers))

    def run(self) -> Floats:
        """(N, K) posterior; what the model says where nobody answered."""
        if not len(self.answers):
            return self.model()
        judged = [_first_guess(block, self.estimates) for block in self.blocks]
        for step in range(N_STEPS):
            self._learn(judged)
            if step % _EVERY == 1 and step < N_STEPS - 1:
                self._try_others()
            judged = [block.judge(self.estimates) for block in self.blocks]
        return self._whole([part.posterior for part in judged])

    def model(self) -> Floats:
        """(N, K) what the model says, with its power and the frequencies of the classes."""
        return self._whole([block.prior(self.estimates) for block in self.blocks])

    def quality(self) -> Floats:
        """(people,) expected share of right answers, among the items that each of them was given."""
        return self.estimates.skills * self.ease

    def _whole(self, parts: list[Floats]) -> Floats:
        """(N, K) rows of the blocks in the order of the items."""
        rows = np.empty((self.n, self.k))
        for first, part in enumerate(parts):
            rows[first :: len(parts)] = part
        return rows

    def _learn(self, judged: list[Judged]) -> None:
        """The estimates that fit the judgements."""
        for block, part in zip(self.blocks, judged, strict=True):
            block.leave_out(part)
        self.estimates = replace(
            self.estimates,
            skills=self._skills(judged),
            mistakes=self._mistakes(judged),
            levels=self._levels(judged),
            misled=self._misled(judged),
            offset=self._offset(judged),
        )

    def _skills(self, judged: list[Judged]) -> Floats:
        """(people,) shrunk to their mean as far as they differ no more than chance lets them."""
        people = len(self.answers)
        hits, effort, wrong = np.zeros(people), np.zeros(people), np.zeros((people, len(LEVELS)))
        for block, part in zip(self.blocks, judged, strict=True):
            right = part.right[block.pair]
            levels = part.levels[block.item]
            hits += np.bincount(block.who, right.sum(axis=1), people)
            effort += np.bincount(block.who, levels @ (1 - LEVELS), people)
            for level in range(len(LEVELS)):
                wrong[:, level] += np.bincount(block.who, levels[:, level] - right[:, level], people)
        self.ease = effort / np.maximum(self.answers, 1)
        raw = np.clip((hits + 1) / (effort + 1.4), 0.02, 0.99)
        weights = np.maximum(self.answers, 1e-9)
        mean = float(np.average(raw, weights=weights))
        noise = np.average(mean * (1 - mean) / np.maximum(self.answers, 1), weights=weights)
        spread = np.average((raw - mean) ** 2, weights=weights) - noise
        strength = float(np.clip(mean * (1 - mean) / max(spread, 1e-4) - 1, 2, 200))
        wrong[:, 0] += strength * (1 - mean)
        return _likeliest_skills(hits + strength * mean, wrong)

    def _mistakes(self, judged: list[Judged]) -> Floats:
        counts = np.full((self.k, self.k), _PSEUDO)
        for block, part in zip(self.blocks, judged, strict=True):
            of_pairs = part.posterior[block.pair_item] * block.times
            for true in range(self.k):
                counts[true] += np.bincount(block.pair_class, of_pairs[:, true], self.k)
        np.fill_diagonal(counts, 0)
        return counts

    def _levels(self, judged: list[Judged]) -> Floats:
        """(groups, levels): the share of difficult items by group, how difficult they are for all together."""
        counts = np.zeros_like(self.estimates.levels)
        for block, part in zip(self.blocks, judged, strict=True):
            np.add.at(counts, block.group, part.levels)
        of_levels = counts[:, 1:].sum(axis=0) + _SHAPE_ITEMS * _shares(_SHAPE)
        shape = max(_SHAPES, key=lambda power: float(of_levels @ np.log(_shares(power))))
        total, difficult = counts.sum(axis=1), counts[:, 1:].sum(axis=1)
        mean = (difficult.sum() + _DIFFICULT_ITEMS * _DIFFICULT) / (total.sum() + _DIFFICULT_ITEMS)
        share = (difficult + _DIFFICULT_ITEMS * mean) / (total + _DIFFICULT_ITEMS)
        return np.column_stack([1 - share, share[:, None] * _shares(shape)])

    def _misled(self, judged: list[Judged]) -> Floats:
        items = np.sum([part.levels.sum(axis=0) for part in judged], axis=0)
        misled = np.sum([part.misled for part in judged], axis=0)
        shares = (misled + _MISLED_ITEMS * self.prior_misled) / (items + _MISLED_ITEMS)
        return np.append(0.0, np.clip(shares[1:], 1e-6, 1 - 1e-6))

    def _offset(self, judged: list[Judged]) -> Floats:
        expected = np.sum([block.prior(self.estimates).sum(axis=0) for block in self.blocks], axis=0)
        share = np.sum([part.posterior.sum(axis=0) for part in judged], axis=0)
        change = np.log((share / self.n + 1e-4) / (expected / self.n + 1e-4))
        return np.asarray(self.estimates.offset + 0.7 * change)

    def _try_others(self) -> None:
        """Probability of shared mistakes and power of the model under which the answers are likeliest."""

        def fit(estimates: Estimates) -> float:
            return float(self.blocks[0].judge(estimates).log_likelihood.sum())

        self.estimates = max((replace(self.estimates, shared=share) for share in _SHARED), key=fit)
        if self.estimates.power:
            powers = (float(np.clip(self.estimates.power * times, 0.03, 8.0)) for times in _POWERS)
            self.estimates = max((replace(self.estimates, power=power) for power in powers), key=fit)


_LEAST = 1e-6


def _groups(model: Floats | None, n: int) -> Ints:
    """(N,) quarter of the model's confidence."""
    if model is None or not n:
        return np.zeros(n, np.int64)
    top = model.max(axis=1)
    limits = np.quantile(top, np.arange(1, _GROUPS) / _GROUPS)
    return np.asarray(np.searchsorted(limits, top), np.int64)


def _shares(power: float) -> Floats:
    """Shares of the difficulties above the first among difficult items."""
    falling = (1 - LEVELS[1:]) ** power
    return np.asarray(falling / falling.sum())


def _first_guess(block: Block, estimates: Estimates) -> Judged:
    """Answers and the model counted alike, difficulty unknown."""
    votes = block.prior(estimates) + 1 / block.k
    np.add.at(votes, (block.pair_item, block.pair_class), block.times[:, 0])
    posterior = votes / votes.sum(axis=1, keepdims=True)
    levels = estimates.levels[block.group]
    right = posterior[block.pair_item, block.pair_class][:, None] * levels[block.pair_item]
    misled = estimates.misled * levels.sum(axis=0)
    return Judged(np.zeros(block.n), posterior, levels, right, misled)


def _likeliest_skills(hits: Floats, wrong: Floats) -> Floats:
    """(people,) skills by right answers (people,) and wrong ones by difficulty (people, levels): halving."""
    low, high = np.full(len(hits), 0.01), np.full(len(hits), 0.995)
    for _ in range(20):
        middle = (low + high) / 2
        slope = hits / middle - (wrong * (1 - LEVELS) / (1 - middle[:, None] * (1 - LEVELS))).sum(axis=1)
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    return np.asarray((low + high) / 2)
