"""Picks in the making: what is still free, the share of each group, and copies of what is there already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.selection.space import Floats, Ints, Space

Mask = npt.NDArray[np.bool_]


class Picks:
    """Picks so far. All rows are positions in the space.

    Args:
        n: Number of picks wanted.
        usable: (N,) rows that may be picked.
        known: Rows that are labelled already; their copies are not picked.
        groups: (N,) number of each row's group; None for no groups.
    """

    def __init__(self, space: Space, n: int, usable: Mask, known: Ints, groups: Ints | None) -> None:
        self.rows: list[int] = []
        self.scores: list[float] = []
        self.reasons: list[str] = []
        self.copies = 0
        self.free = usable.copy()
        self._space = space
        self._n = min(n, int(usable.sum()))
        self._kept = np.empty((len(known) + self._n, space.points.shape[1]), np.float32)
        self._kept[: len(known)] = space.points[known]
        self._n_kept = len(known)
        self._groups = groups
        self._left = None if groups is None else shares(groups[usable], self._n)
        self._unused = usable.copy()
        self._close_full_groups()

    @property
    def n(self) -> int:
        """Number of picks wanted, at most the rows that may be picked."""
        return self._n

    @property
    def open(self) -> bool:
        """Whether picks are wanted and possible. Shares that cannot be filled are released at the end."""
        if len(self.rows) >= self._n:
            return False
        if not self.free.any() and self._left is not None:
            self._left, self.free = None, self._unused.copy()
        return bool(self.free.any())

    def offer(self, row: int, score: float, reason: str) -> bool:
        """Take a free row unless it is a copy of a labelled sample or of a pick."""
        self.free[row] = self._unused[row] = False
        point = self._space.points[row]
        kept = self._kept[: self._n_kept]
        if len(kept):
            squared = float(point @ point) + np.einsum("nd,nd->n", kept, kept) - 2 * (kept @ point)
            if float(squared.min()) <= self._space.copy_distance**2:
                self.copies += 1
                return False
        self._kept[self._n_kept] = point
        self._n_kept += 1
        self.rows.append(row)
        self.scores.append(float(score))
        self.reasons.append(reason)
        if self._left is not None and self._groups is not None:
            self._left[self._groups[row]] -= 1
            self._close_full_groups()
        return True

    def rank(self, order: Ints, scores: Floats, reason: str) -> None:
        """Take free rows in an order until no more are wanted; `reason` may use `{score}` and `{rank}`."""
        while self.open:
            for row in order.tolist():
                if self.free[row]:
                    text = reason.format(score=float(scores[row]), rank=len(self.rows) + 1)
                    self.offer(row, float(scores[row]), text)
                    if not self.open:
                        break

    def _close_full_groups(self) -> None:
        if self._left is not None and self._groups is not None:
            self.free &= self._left[self._groups] > 0


def shares(groups: Ints, n: int) -> Ints:
    """(G,) picks of each group, in proportion to its rows; the largest remainders get what is left over.

    A group that would get none gets one where there are at least as many picks as groups.
    """
    counts = np.bincount(groups) if len(groups) else np.zeros(0, np.int64)
    present = counts > 0
    exact = n * counts / max(int(counts.sum()), 1)
    given = np.floor(exact).astype(np.int64)
    if n >= int(present.sum()):
        given[present] = np.maximum(given[present], 1)
    order = np.lexsort((np.arange(len(counts)), -(exact - given)))
    while given.sum() < n:
        lacking = [g for g in order.tolist() if given[g] < counts[g]]
        for group in lacking[: n - int(given.sum())]:
            given[group] += 1
    while given.sum() > n:
        given[int(np.argmax(given - exact))] -= 1
    return given
