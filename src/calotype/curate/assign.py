"""Sharing units out to splits: sizes as asked for, classes even, the same answer for the same content.

A unit is what must stay together. Units are given out one at a time, large ones and those with rare classes
first, each to the split that then deviates least from its share. Source of the idea: iterative
stratification, Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011;
the measure of deviation is the chi-squared statistic over classes, with the number of samples as one more
column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Units:
    """What is shared out.

    Attributes:
        keys: One text a unit that depends on its content only; decides ties.
        sizes: (U,) samples in each unit.
        counts: (U, C) annotations of each class in each unit; C may be 0.
        fixed: (U,) index of the split that a unit has to stay in, -1 where free.
    """

    keys: Sequence[str]
    sizes: Ints
    counts: Floats
    fixed: Ints


def drawn_order(keys: Iterable[str], *, seed: int) -> list[str]:
    """A number for each key that depends on the key and the seed alone, as 64 hexadecimal digits."""
    return [hashlib.sha256(f"{seed}\x1f{key}".encode("utf-8", "surrogatepass")).hexdigest() for key in keys]


def joined(n: int, links: Iterable[Sequence[int]]) -> Ints:
    """Union-find: of `n` things and lists that belong together, the smallest member of each one's set,
    (n,).
    """
    parent = list(range(n))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for together in links:
        for other in together[1:]:
            a, b = root(together[0]), root(other)
            parent[max(a, b)] = min(a, b)
    return np.array([root(at) for at in range(n)], dtype=np.int64)


def quotas(total: int, fractions: Floats, *, n_units: int) -> Ints:
    """Samples that each split should get, (S,): largest remainders, and at least one where there are units
    enough.
    """
    exact = fractions * total
    whole = np.floor(exact + 1e-9).astype(np.int64)
    for at in np.argsort(-(exact - whole), kind="stable")[: total - int(whole.sum())]:
        whole[at] += 1
    wanting = np.flatnonzero((whole == 0) & (fractions > 0))
    if n_units >= int((fractions > 0).sum()):
        for at in wanting:
            richest = int(np.argmax(whole))
            whole[richest], whole[at] = whole[richest] - 1, 1
    return whole


def assign(units: Units, fractions: Sequence[float], *, seed: int) -> Ints:
    """The index of a split for each unit, (U,). Deterministic in the keys, sizes, counts, fractions and
    seed.
    """
    shares = np.asarray(fractions, dtype=np.float64)
    chosen = units.fixed.copy()
    free = np.flatnonzero(chosen < 0)
    left = quotas(int(units.sizes.sum()), shares, n_units=len(units.keys)).astype(np.float64)
    balance = _Balance(units, shares)
    for at in map(int, np.flatnonzero(chosen >= 0)):
        left[chosen[at]] -= units.sizes[at]
        balance.add(at, int(chosen[at]))
    for at in map(int, _order(units, free, seed)):
        fits = left >= units.sizes[at]
        if not fits.any():
            fits = (left == left[shares > 0].max()) & (shares > 0)
        cost = np.where(fits & (shares > 0), balance.cost(at), np.inf)
        best = np.flatnonzero(cost <= cost.min() + 1e-12)
        pick = int(best[np.argmax(left[best])])
        chosen[at] = pick
        left[pick] -= units.sizes[at]
        balance.add(at, pick)
    _fill_empty(units, chosen, shares, free)
    return chosen


class _Balance:
    """How far the splits are from their share of every column."""

    def __init__(self, units: Units, shares: Floats) -> None:
        totals = units.counts.sum(axis=0)
        used = totals > 0
        size_column = units.sizes.astype(np.float64)[:, None] / max(1, units.sizes.sum())
        weight = max(1.0, float(used.sum())) ** 0.5
        self._columns = np.hstack([units.counts[:, used] / totals[used], size_column])
        self._weights = np.append(np.ones(int(used.sum())), weight)
        self._shares = np.where(shares > 0, shares, 1.0)[:, None]
        self._have = np.zeros((len(shares), self._columns.shape[1]))

    def add(self, unit: int, split: int) -> None:
        self._have[split] += self._columns[unit]

    def cost(self, unit: int) -> Floats:
        """By how much the deviation grows when the unit goes to each split, (S,)."""
        row = self._columns[unit]
        grown = row * (2.0 * (self._have - self._shares) + row) / self._shares
        return np.asarray(grown @ self._weights, dtype=np.float64)


def _order(units: Units, free: Ints, seed: int) -> list[int]:
    """Large units first, then rare classes first, then as drawn."""
    totals = units.counts.sum(axis=0)
    rarest = np.full(len(units.keys), np.inf)
    for column in np.argsort(-totals, kind="stable"):
        rarest[units.counts[:, column] > 0] = totals[column]
    drawn = drawn_order(units.keys, seed=seed)
    return sorted(
        (int(at) for at in free), key=lambda at: (-int(units.sizes[at]), float(rarest[at]), drawn[at])
    )


def _fill_empty(units: Units, chosen: Ints, shares: Floats, free: Ints) -> None:
    """Give a split that got nothing the smallest free unit of a split that has several."""
    for empty in [at for at in range(len(shares)) if shares[at] > 0 and not (chosen == at).any()]:
        counts = np.bincount(chosen, minlength=len(shares))
        spare = [int(at) for at in free if counts[chosen[at]] > 1]
        if spare:
            chosen[min(spare, key=lambda at: (int(units.sizes[at]), units.keys[at]))] = empty
