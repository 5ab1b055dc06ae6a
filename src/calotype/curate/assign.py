"""Assign units to splits: the requested sizes, balanced classes, deterministic in the content.

A unit is a set of samples that must stay together. Units are assigned one at a time, large ones and those with rare
classes first, each to the split that then deviates least from its share. Based on iterative stratification: Sechidis,
Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011. The deviation is the chi-squared
statistic over classes, with the number of samples as one more column.
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
    """The units to assign.

    Attributes:
        keys: One text per unit that depends only on its content; breaks ties.
        sizes: (U,) samples in each unit.
        counts: (U, C) annotations of each class in each unit; C may be 0.
        fixed: (U,) index of the split that a unit must stay in, -1 if free.
    """

    keys: Sequence[str]
    sizes: Ints
    counts: Floats
    fixed: Ints


def random_order_keys(keys: Iterable[str], *, seed: int) -> list[str]:
    """For each key a sort key of 64 hexadecimal digits that depends only on the key and the seed."""
    return [hashlib.sha256(f"{seed}\x1f{key}".encode("utf-8", "surrogatepass")).hexdigest() for key in keys]


def connected(n: int, links: Iterable[Sequence[int]]) -> Ints:
    """Union-find over 0 to n - 1: the smallest member of the component of each, (n,). `links` lists what is linked."""
    parent = list(range(n))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for linked in links:
        for other in linked[1:]:
            a, b = root(linked[0]), root(other)
            parent[max(a, b)] = min(a, b)
    return np.array([root(node) for node in range(n)], dtype=np.int64)


def quotas(total: int, fractions: Floats, *, n_units: int) -> Ints:
    """Number of samples for each split, (S,), by largest remainders; at least one if there are enough units."""
    exact = fractions * total
    quota = np.floor(exact + 1e-9).astype(np.int64)
    for split in np.argsort(-(exact - quota), kind="stable")[: total - int(quota.sum())]:
        quota[split] += 1
    empty = np.flatnonzero((quota == 0) & (fractions > 0))
    if n_units >= int((fractions > 0).sum()):
        for split in empty:
            largest = int(np.argmax(quota))
            quota[largest], quota[split] = quota[largest] - 1, 1
    return quota


def assign(units: Units, fractions: Sequence[float], *, seed: int) -> Ints:
    """The index of the split of each unit, (U,). Deterministic in keys, sizes, counts, fractions and seed."""
    shares = np.asarray(fractions, dtype=np.float64)
    chosen = units.fixed.copy()
    free = np.flatnonzero(chosen < 0)
    room = quotas(int(units.sizes.sum()), shares, n_units=len(units.keys)).astype(np.float64)
    balance = _Balance(units, shares)
    for unit in map(int, np.flatnonzero(chosen >= 0)):
        room[chosen[unit]] -= units.sizes[unit]
        balance.add(unit, int(chosen[unit]))
    for unit in map(int, _order(units, free, seed)):
        fits = room >= units.sizes[unit]
        if not fits.any():
            fits = (room == room[shares > 0].max()) & (shares > 0)
        cost = np.where(fits & (shares > 0), balance.cost(unit), np.inf)
        best = np.flatnonzero(cost <= cost.min() + 1e-12)
        split = int(best[np.argmax(room[best])])
        chosen[unit] = split
        room[split] -= units.sizes[unit]
        balance.add(unit, split)
    _fill_empty(units, chosen, shares, free)
    return chosen


class _Balance:
    """The deviation of the splits from their share of every column."""

    def __init__(self, units: Units, shares: Floats) -> None:
        totals = units.counts.sum(axis=0)
        used = totals > 0
        size_column = units.sizes.astype(np.float64)[:, None] / max(1, units.sizes.sum())
        weight = max(1.0, float(used.sum())) ** 0.5
        self._columns = np.hstack([units.counts[:, used] / totals[used], size_column])
        self._weights = np.append(np.ones(int(used.sum())), weight)
        self._shares = np.where(shares > 0, shares, 1.0)[:, None]
        self._assigned = np.zeros((len(shares), self._columns.shape[1]))

    def add(self, unit: int, split: int) -> None:
        self._assigned[split] += self._columns[unit]

    def cost(self, unit: int) -> Floats:
        """Growth of the deviation if the unit goes to each split, (S,)."""
        row = self._columns[unit]
        growth = row * (2.0 * (self._assigned - self._shares) + row) / self._shares
        return np.asarray(growth @ self._weights, dtype=np.float64)


def _order(units: Units, free: Ints, seed: int) -> list[int]:
    """Large units first, then rare classes first, then in random order."""
    totals = units.counts.sum(axis=0)
    rarest = np.full(len(units.keys), np.inf)
    for column in np.argsort(-totals, kind="stable"):
        rarest[units.counts[:, column] > 0] = totals[column]
    random_keys = random_order_keys(units.keys, seed=seed)
    return sorted(
        map(int, free),
        key=lambda unit: (-int(units.sizes[unit]), float(rarest[unit]), random_keys[unit]),
    )


def _fill_empty(units: Units, chosen: Ints, shares: Floats, free: Ints) -> None:
    """Give each empty split the smallest free unit of a split that has several."""
    for empty in [s for s in range(len(shares)) if shares[s] > 0 and not (chosen == s).any()]:
        counts = np.bincount(chosen, minlength=len(shares))
        spare = [int(unit) for unit in free if counts[chosen[unit]] > 1]
        if spare:
            chosen[min(spare, key=lambda unit: (int(units.sizes[unit]), units.keys[unit]))] = empty
